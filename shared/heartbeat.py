"""The heartbeat: an event that says nothing but that the way from the catcher to you is open.

The catcher sends one for each cloud at an interval; every consumer of ours notes when it came and
how long it took, and does nothing else with it. So a consumer that is stuck, a bus that is full and
a catcher that is gone show before anybody misses an event.
"""

from datetime import datetime

from shared.event import Event, Level
from shared.own_events import own_event

TYPE = "osevents.heartbeat"


def heartbeat_event(*, id_: str, cloud: str, instance: str, now: datetime) -> Event:
    """Return the event with which a copy of the catcher says that it lives."""
    return own_event(
        id_=id_,
        cloud=cloud,
        type_=TYPE,
        now=now,
        publisher=f"catcher.{instance}",
        level=Level.DETAIL,
        payload={},
    )


def is_heartbeat(event: Event) -> bool:
    """Tell whether an event is one, which is for nobody's timeline and no rule."""
    return event.type == TYPE
