"""The heartbeat: an event that says nothing but that the way from the catcher to you is open.

The catcher sends one for each cloud at an interval; every consumer of ours notes when it came and
how long it took, and does nothing else with it. So a consumer that is stuck, a bus that is full and
a catcher that is gone show before anybody misses an event.
"""

from datetime import datetime

from shared.event import Action, Event, Flavour, Level, Phase

TYPE = "osevents.heartbeat"


def heartbeat_event(*, id_: str, cloud: str, instance: str, now: datetime) -> Event:
    """Return the event with which a copy of the catcher says that it lives."""
    return Event(
        id=id_,
        cloud=cloud,
        type=TYPE,
        canonical=TYPE,
        time=now,
        service="osevents",
        publisher=f"catcher.{instance}",
        priority="info",
        flavour=Flavour.LEGACY,
        action=Action.NONE,
        phase=Phase.END,
        category="status",
        level=Level.DETAIL,
        known=True,
        payload={},
    )


def is_heartbeat(event: Event) -> bool:
    """Tell whether an event is one, which is for nobody's timeline and no rule."""
    return event.type == TYPE
