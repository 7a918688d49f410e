"""A gap, told to everybody as an event: it shows on the timeline, and the refresher heals it.

A gap is when notifications may have been lost before we could read them. Telling it over the bus
means that the catcher needs no store, and that whoever else keeps state from events learns it.
"""

from datetime import datetime

from shared.event import Action, Event, Level
from shared.own_events import own_event

TYPE = "osevents.gap"
"""The catalogue has this type: it asks for a full pass of every kind."""


def gap_event(*, id_: str, cloud: str, source: str, reason: str, now: datetime) -> Event:
    """Return the event that says that `source` of `cloud` may have lost notifications."""
    event = own_event(
        id_=id_,
        cloud=cloud,
        type_=TYPE,
        now=now,
        publisher=f"catcher.{source}",
        level=Level.WARNING,
        payload={"source": source, "reason": reason},
    )
    return event._replace(priority="warn", action=Action.UPDATE)
