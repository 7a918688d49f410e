"""Bodies as Ceilometer's http publisher sends them, by its options."""

import json
from typing import Any

import pytest

from services.catcher.decoding.ceilometer_body import open_body
from services.catcher.decoding.notification import Notification
from services.catcher.sources.port import Unreadable
from shared.errors import UnreadableNotification


def posted(id_: str, **different: Any) -> dict[str, Any]:
    """Describe an event as `Event.serialize` of Ceilometer does."""
    return {
        "message_id": id_,
        "event_type": "compute.instance.create.end",
        "generated": "2026-01-15T10:03:49.534000",
        "traits": [["service", 1, "compute.host1"], ["memory_mb", 2, 512], ["size", 3, 1.5]],
        "raw": {},
    } | different


def opened(value: Any) -> tuple[Notification | Unreadable, ...]:
    return open_body(json.dumps(value).encode())


def test_a_batch_keeps_its_order_and_the_types_of_its_traits() -> None:
    first, second = opened([posted("one"), posted("two")])

    assert isinstance(first, Notification)
    assert isinstance(second, Notification)
    assert (first.message_id, second.message_id) == ("one", "two")
    assert first.payload == {"service": "compute.host1", "memory_mb": 512, "size": 1.5}


def test_a_single_event_is_a_batch_of_one() -> None:
    [event] = opened(posted("one"))

    assert isinstance(event, Notification)
    assert event.event_type == "compute.instance.create.end"


def test_an_empty_batch_is_nothing() -> None:
    assert opened([]) == ()


def test_what_is_no_event_among_events_is_told_apart() -> None:
    items = opened([posted("one"), {"message_id": "two"}, 5])

    assert [type(item) for item in items] == [Notification, Unreadable, Unreadable]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([{"instance_id": "i", "state": "active"}], "raw_only=True"),
        ({"instance_id": "i"}, "raw_only=True"),
        ([{"counter_name": "cpu", "counter_volume": 1}], "put the publisher into event_pipeline"),
        ([5], "an event is an object, this is 5"),
        ("text", "an event is an object"),
    ],
)
def test_a_body_without_any_event_is_refused_with_the_reason(value: Any, told: str) -> None:
    with pytest.raises(UnreadableNotification, match=told):
        opened(value)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(UnreadableNotification, match="the body is not UTF-8"):
        open_body(b"\xff")
