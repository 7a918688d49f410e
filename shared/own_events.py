"""Events of osevents itself, `osevents.*`: what they have in common, whoever makes them."""

from datetime import datetime
from typing import Any

from shared.event import Action, Event, Flavour, Level, Phase


def own_event(
    *,
    id_: str,
    cloud: str,
    type_: str,
    now: datetime,
    publisher: str,
    level: Level,
    payload: Any,
) -> Event:
    """Return an event that `publisher`, a part of osevents, makes `now`.

    It is information about a whole cloud, and nothing was done to an object; whoever has more to
    tell replaces that.
    """
    return Event(
        id=id_,
        cloud=cloud,
        type=type_,
        canonical=type_,
        time=now,
        service="osevents",
        publisher=publisher,
        priority="info",
        flavour=Flavour.LEGACY,
        action=Action.NONE,
        phase=Phase.END,
        category="status",
        level=level,
        known=True,
        payload=payload,
    )
