"""A gap, told to everybody as an event: it shows on the timeline, and the refresher heals it.

A gap is when notifications may have been lost before we could read them. Telling it over the bus
means that the catcher needs no store, and that whoever else keeps state from events learns it.
"""

from datetime import datetime

from shared.event import Action, Event, Flavour, Level, Phase

TYPE = "osevents.gap"
"""The catalogue has this type: it asks for a full pass of every kind."""


def gap_event(*, id_: str, cloud: str, source: str, reason: str, now: datetime) -> Event:
    """Return the event that says that `source` of `cloud` may have lost notifications."""
    return Event(
        id=id_,
        cloud=cloud,
        type=TYPE,
        canonical=TYPE,
        time=now,
        service="osevents",
        publisher=f"catcher.{source}",
        priority="warn",
        flavour=Flavour.LEGACY,
        action=Action.UPDATE,
        phase=Phase.END,
        category="status",
        level=Level.WARNING,
        known=True,
        payload={"source": source, "reason": reason},
    )
