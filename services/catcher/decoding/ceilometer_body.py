"""What Ceilometer's `http(s)://` publisher posts: an array of events, or one event. Pure.

Facts: ceilometer/publisher/http.py. A batch is an array, `batch=False` posts one event at a time
(before October 2022 an array of one). `raw_only=True` posts payloads without type and id, and
samples come when the publisher stands in a meter sink: neither can become an event.
"""

from typing import Any

import orjson

from services.catcher.decoding.envelope import from_panko
from services.catcher.decoding.json_text import parsed, quoted
from services.catcher.decoding.notification import Notification
from services.catcher.sources.port import Unreadable
from shared.errors import UnreadableNotification


def open_body(body: bytes) -> tuple[Notification | Unreadable, ...]:
    """Return the events in a body, in their order; what is none among others is told apart.

    Raises UnreadableNotification when nothing in it is an event, saying what the sender must
    change.
    """
    value = parsed(body, "the body")
    events = value if isinstance(value, list) else [value]
    if events and not any(_has_type(event) for event in events):
        raise UnreadableNotification(_why_none(events[0]))
    return tuple(_opened(event) for event in events)


def _has_type(event: Any) -> bool:
    return isinstance(event, dict) and isinstance(event.get("event_type"), str)


def _why_none(first: Any) -> str:
    if not isinstance(first, dict):
        return f"an event is an object, this is {quoted(first)}"
    if "counter_name" in first or "counter_volume" in first:
        return (
            "these are samples, no events; put the publisher into event_pipeline.yaml, not into"
            " pipeline.yaml or polling.yaml"
        )
    return (
        "no event_type: the publisher has raw_only=True, which leaves type and id out; remove it"
        f" from its URL (the keys are {quoted(', '.join(list(first)[:8]) or 'none')})"
    )


def _opened(event: Any) -> Notification | Unreadable:
    try:
        return from_panko(event)
    except UnreadableNotification as error:
        return Unreadable(orjson.dumps(event), str(error))
