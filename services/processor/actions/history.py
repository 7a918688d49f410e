"""What actions did, as events for the timeline: each try with its result, and notes; pure.

They stand around the same object and request as the event that fired, so that every look at the
timeline shows them beside it. They are written to the timeline and never published: no rule fires
on them, nothing is refreshed for them (decision 0026).
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from shared.event import Event, Level, Phase
from shared.firing import Firing
from shared.own_events import own_event

_NAMESPACE = UUID("0d3ad0a4-7a1b-4f39-9a51-2c6f0d1f5e11")

DONE = "osevents.action.done"
FAILED = "osevents.action.failed"
DEAD = "osevents.action.dead"
NOTE = "osevents.note"


def event_about(
    firing: Firing, type_: str, *, identity: str, level: Level, now: datetime, payload: Any
) -> Event:
    """Return an event about the subjects of the one that fired, always the same for `identity`.

    What `payload` has under `message` is found by the timeline's search in free text.
    """
    cause = firing.event
    event = own_event(
        id_=str(uuid5(_NAMESPACE, f"{type_}\x1f{identity}")),
        cloud=cause.cloud,
        type_=type_,
        now=now,
        publisher="processor.actions",
        level=level,
        payload={"rule": firing.rule, "event": cause.id, **payload},
    )
    return event._replace(
        priority="error" if level is Level.CRITICAL else "info",
        phase=Phase.ERROR if type_ in (FAILED, DEAD) else Phase.END,
        category="other",
        subjects=cause.subjects,
        related=cause.related,
        name=cause.name,
        project=cause.project,
        request_id=cause.request_id,
        host=cause.host,
        synthetic=cause.synthetic,
    )
