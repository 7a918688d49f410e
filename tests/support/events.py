"""Builders of events: valid by default, with the one difference a test is about in view."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.event import Action, Event, Flavour, Level, Phase
from shared.resource import ResourceRef

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def server(id_: str = "server-1", cloud: str = "prod") -> ResourceRef:
    """Name a server."""
    return ResourceRef(cloud, "server", id_)


def event(id_: str = "event-1", **different: Any) -> Event:
    """Make a server's power-off, unless told otherwise."""
    fields: dict[str, Any] = {
        "id": id_,
        "cloud": "prod",
        "type": "compute.instance.power_off.end",
        "canonical": "compute.instance.power_off.end",
        "time": NOON,
        "service": "compute",
        "publisher": "compute.host1",
        "priority": "info",
        "flavour": Flavour.LEGACY,
        "action": Action.UPDATE,
        "phase": Phase.END,
        "category": "power",
        "level": Level.CRITICAL,
        "known": True,
        "subjects": (server(),),
        "payload": {"instance_id": "server-1"},
    }
    return Event(**fields | different)


def numbered(count: int, *, first: int = 0, **different: Any) -> list[Event]:
    """Make events `event-0`, `event-1`, ..., a second apart."""
    return [
        event(f"event-{number}", time=NOON + timedelta(seconds=number), **different)
        for number in range(first, first + count)
    ]


def ids(events: Sequence[Event]) -> list[str]:
    """Return the ids, in order."""
    return [item.id for item in events]
