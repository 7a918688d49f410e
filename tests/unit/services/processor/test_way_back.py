"""Where a dead letter goes when it is sent back."""

import dataclasses

import orjson
import pytest

from services.cli.running.rereading import rereading
from services.processor.way_back import ToConsumers, ToOutbox, ToRefresher, Way, way_back
from shared.catalogue.load import builtin
from shared.codec import encode, encode_batch
from shared.dead_letter import DeadLetter
from shared.errors import Permanent
from shared.target import BY_ID, Target
from tests.support.events import NOON, event, ids, numbered

NOTIFICATION = orjson.dumps(
    {
        "message_id": "m-1",
        "event_type": "compute.instance.power_off.end",
        "publisher_id": "compute.host1",
        "priority": "INFO",
        "timestamp": "2026-11-23 12:00:00.000000",
        "payload": {"instance_id": "server-1"},
    }
)
PANKO = orjson.dumps(
    {
        "message_id": "p-1",
        "event_type": "compute.instance.power_off.end",
        "generated": "2026-11-23T12:00:00",
        "traits": [{"name": "service", "type": "string", "value": "compute"}],
    }
)


def way(origin: str, body: bytes, cloud: str | None = "prod") -> Way:
    letter = DeadLetter(origin, "broken", cloud, body, NOON)
    return way_back(letter, rereading(builtin()))


@pytest.mark.parametrize("group", ["processor", "refresher", "billing"])
def test_an_event_goes_to_the_consumers_that_gave_it_up_and_to_no_other(group: str) -> None:
    assert way(group, encode(event())) == ToConsumers(group, (event(),))


def test_a_message_with_several_events_goes_back_whole() -> None:
    found = way("processor", encode_batch(numbered(3)))

    assert isinstance(found, ToConsumers)
    assert ids(found.events) == ids(numbered(3))


def test_what_no_consumer_could_read_goes_to_all_when_it_can_be_read_now() -> None:
    assert way("bus", encode(event())) == ToConsumers(None, (event(),))


@pytest.mark.parametrize(
    ("origin", "body"),
    [
        ("bus", b"not JSON"),
        ("processor", b'{"specversion": "1.0"}'),
        ("catcher", b"not JSON"),
        ("action", b"{}"),
        ("action", b"[1]"),
        ("refresher", b"7"),
    ],
)
def test_what_still_cannot_be_read_says_why(origin: str, body: bytes) -> None:
    with pytest.raises(Permanent, match=r"\w"):
        way(origin, body)


@pytest.mark.parametrize(("body", "id_"), [(NOTIFICATION, "m-1"), (PANKO, "p-1")])
def test_a_notification_is_read_again_whatever_source_it_came_from(body: bytes, id_: str) -> None:
    found = way("catcher", body)

    assert isinstance(found, ToConsumers)
    assert found.group is None
    assert [(each.id, each.cloud) for each in found.events] == [(id_, "prod")]


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2"])
def test_a_compressed_notification_is_read_again_without_its_headers(compress: str) -> None:
    body = __import__(compress).compress(NOTIFICATION)

    found = way("catcher", body)

    assert isinstance(found, ToConsumers)
    assert ids(found.events) == ["m-1"]


def test_a_notification_of_no_cloud_cannot_be_sent_anywhere() -> None:
    with pytest.raises(Permanent, match="which cloud"):
        way("catcher", NOTIFICATION, cloud=None)


def test_a_target_is_asked_for_again() -> None:
    target = Target("prod", "port", "device_id", "server-1", "event-1", "subject")

    found = way("refresher", orjson.dumps(dataclasses.asdict(target)))

    assert found == ToRefresher(target)


def test_an_object_that_could_not_be_stored_is_read_again() -> None:
    body = orjson.dumps({"cloud": "prod", "kind": "port", "id": "b", "object": {"name": "x"}})

    found = way("refresher", body)

    assert isinstance(found, ToRefresher)
    assert (found.target.kind, found.target.by, found.target.key) == ("port", BY_ID, "b")


def test_an_action_is_due_again_under_its_old_key() -> None:
    body = orjson.dumps(
        {
            "kind": "log",
            "settings": {},
            "rule": "r",
            "key": "k",
            "at": NOON.isoformat(),
            "position": 2,
            "event": orjson.Fragment(encode(event())),
        }
    )

    found = way("action", body)

    assert isinstance(found, ToOutbox)
    assert found.position == 2
    assert found.firing.rule == "r"
    assert found.firing.event == event()
