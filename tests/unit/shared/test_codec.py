import orjson
import pytest

from shared.codec import BATCH, SINGLE, decode, encode, encode_batch, routing_key
from shared.errors import UnreadableEvent
from shared.event import Occasion
from shared.resource import ResourceRef
from tests.support.events import event, numbered


def test_an_event_is_a_structured_cloudevent() -> None:
    value = orjson.loads(encode(event("one", synthetic=True)))

    assert value["specversion"] == "1.0"
    assert value["id"] == "one"
    assert value["type"] == "compute.instance.power_off.end"
    assert value["source"] == "/openstack/prod/compute"
    assert value["subject"] == "server/server-1"
    assert value["time"] == "2026-11-23T12:00:00.000000Z"
    assert value["synthetic"] is True
    assert value["data"]["payload"] == {"instance_id": "server-1"}


def test_news_says_nothing_of_its_occasion_so_that_older_consumers_read_it() -> None:
    assert "occasion" not in orjson.loads(encode(event()))


def test_history_and_replays_can_be_told_by_an_attribute() -> None:
    value = orjson.loads(encode(event(occasion=Occasion.HISTORY)))

    assert value["occasion"] == "history"


def test_attribute_names_are_what_cloudevents_allows() -> None:
    value = orjson.loads(encode(event()))

    assert all(name.isalnum() and name.islower() for name in value)


def test_a_batch_keeps_its_order() -> None:
    events = numbered(5)

    assert decode(encode_batch(events), BATCH) == tuple(events)


def test_a_bulk_event_keeps_all_its_subjects() -> None:
    bulk = event(subjects=tuple(ResourceRef("prod", "port", str(n)) for n in range(3)))

    assert decode(encode(bulk), SINGLE)[0].subjects == bulk.subjects


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (b"{", SINGLE, "not JSON"),
        (b"\xff\xfe", SINGLE, "not JSON"),
        (b"{}", SINGLE, "data"),
        (b"[]", SINGLE, "not an osevents CloudEvent"),
        (b"{}", BATCH, "not a list"),
        (b"null", None, "not an osevents CloudEvent"),
        (b'{"data": {}, "cloud": "x", "id": "1", "type": "t", "time": "soon"}', SINGLE, "soon"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(
    body: bytes, content_type: str | None, says: str
) -> None:
    with pytest.raises(UnreadableEvent, match=says):
        decode(body, content_type)


def test_the_routing_key_is_cloud_and_type() -> None:
    assert routing_key(event()) == "prod.compute.instance.power_off.end"


def test_a_routing_key_never_exceeds_what_amqp_allows() -> None:
    assert len(routing_key(event(type="ü" * 300)).encode()) <= 255
