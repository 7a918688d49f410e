import bz2
import gzip
import json
import zlib
from typing import Any

import pytest

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from shared.errors import UnreadableNotification
from shared.event import Flavour
from tests.support.notifications import (
    bare,
    envelope,
    keystone_cadf,
    legacy_nova,
    message,
    panko,
    versioned_nova,
)

CREATED = legacy_nova("compute.instance.create.end")


def test_envelope_and_bare_message_give_the_same_notification() -> None:
    assert open_envelope(envelope(CREATED)) == open_envelope(bare(CREATED))


def test_a_notification_keeps_what_identifies_it() -> None:
    opened = open_envelope(envelope(CREATED))

    assert opened.message_id == CREATED["message_id"]
    assert opened.event_type == "compute.instance.create.end"
    assert opened.publisher_id == "compute.compute-1"
    assert opened.priority == "info"
    assert opened.timestamp == CREATED["timestamp"]
    assert opened.payload == CREATED["payload"]


def test_of_the_context_only_what_is_needed_is_taken() -> None:
    opened = open_envelope(envelope(CREATED))

    assert sorted(opened.context) == ["project_id", "request_id", "user_id"]


def test_kafka_nests_the_context() -> None:
    plain = {key: value for key, value in CREATED.items() if not key.startswith("_context")}
    opened = open_envelope(envelope(plain | {"_context": {"user_id": "u", "auth_token": "t"}}))

    assert opened.context == {"user_id": "u"}


@pytest.mark.parametrize(
    ("content", "flavour", "namespace"),
    [
        (CREATED, Flavour.LEGACY, ""),
        (versioned_nova("instance.create.end"), Flavour.VERSIONED, "nova"),
        (keystone_cadf("identity.project.created"), Flavour.CADF, ""),
        (message("x.y", ["a", "list"]), Flavour.LEGACY, ""),
    ],
)
def test_the_flavour_is_told_by_the_payload(
    content: dict[str, Any], flavour: Flavour, namespace: str
) -> None:
    opened = open_envelope(envelope(content))

    assert (opened.flavour, opened.namespace) == (flavour, namespace)


@pytest.mark.parametrize(
    ("header", "compressed"),
    [
        ("application/x-gzip", zlib.compress(envelope(CREATED))),
        ("application/x-gzip", gzip.compress(envelope(CREATED))),
        ("application/x-bz2", bz2.compress(envelope(CREATED))),
    ],
    ids=["zlib", "gzip", "bz2"],
)
def test_compressed_bodies_are_opened(header: str, compressed: bytes) -> None:
    opened = open_envelope(compressed, content_encoding="utf-8", compression=header)

    assert opened == open_envelope(envelope(CREATED))


def test_a_missing_message_id_is_derived_the_same_at_every_redelivery() -> None:
    body = bare({"event_type": "x.y", "payload": 1})

    assert open_envelope(body).message_id == open_envelope(body).message_id
    assert open_envelope(body).message_id != open_envelope(body + b" ").message_id


def test_nul_characters_are_replaced_wherever_they_stand() -> None:
    content = message("x.y", {"a\0b": ["c\0", {"d": "\0"}]})

    for body in (bare(content), envelope(content)):
        assert open_envelope(body).payload == {"a\ufffdb": ["c\ufffd", {"d": "\ufffd"}]}


def test_what_only_python_calls_json_is_read_all_the_same() -> None:
    body = b'{"event_type": "x.y", "payload": [NaN, 123456789012345678901234, "\\ud800"]}'

    assert open_envelope(body).payload == [None, 123456789012345678901234.0, "\ufffd"]


def test_a_body_of_five_megabytes_is_opened() -> None:
    content = message("x.y", {"blob": "x" * 5 * 2**20})

    assert len(open_envelope(envelope(content)).payload["blob"]) == 5 * 2**20


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"hello", "the message is not JSON"),
        (b"\xff\xfe", "the message is not UTF-8"),
        (envelope(CREATED)[:-10], "the message is not JSON"),
        (bare({"oslo.version": "2.0", "oslo.message": '{"a'}), "oslo.message is not JSON"),
        (bare({"oslo.version": "2.0", "oslo.message": {}}), "oslo.message is dict"),
        (envelope(CREATED, version="3.0"), "oslo.version is '3.0'"),
        (envelope(CREATED, version=None), "oslo.version is None"),
        (b"[1]", "a notification is an object, this is list"),
        (b"null", "a notification is an object, this is None"),
        (bare({"payload": {}, "id": 7}), "event_type is None, not a name; the keys are"),
        (bare({"event_type": "", "payload": {}}), "event_type is ''"),
        (bare({"event_type": "x" * 2000}), "event_type has 2000 characters"),
        (b'{"event_type": "x", "payload": ' + b"[" * 300 + b"]" * 300 + b"}", "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_what_is_no_notification_is_refused_in_one_short_line(body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableNotification, match=f"^.*{reason.replace('.', '[.]')}") as caught:
        open_envelope(body)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("header", ["application/x-gzip", "application/x-bz2", "lzma"])
def test_a_wrong_compression_is_named(header: str) -> None:
    with pytest.raises(UnreadableNotification, match=r"is not (zlib|bz2)|unknown compression"):
        open_envelope(b"{}", compression=header)


def test_of_panko_the_traits_stand_in_for_the_payload() -> None:
    opened = from_panko(panko("port.update.end", resource_id="port-1"))

    assert opened.flavour is Flavour.TRAITS
    assert opened.payload["resource_id"] == "port-1"
    assert opened.publisher_id == "compute"
    assert opened.timestamp == "2026-11-23T11:59:58.388453"


def test_the_triples_of_ceilometers_publishers_mean_the_same_as_pankos_traits() -> None:
    item = panko("port.update.end", resource_id="port-1")
    triples = [[trait["name"], 1, trait["value"]] for trait in item["traits"]]

    assert from_panko(item | {"traits": triples}) == from_panko(item)


def test_the_raw_notification_is_preferred_to_traits() -> None:
    raw = {
        "ctxt": {"request_id": "req-1", "auth_token": "secret"},
        "publisher_id": "network.ctl1",
        "event_type": "port.update.end",
        "payload": {"port": {"id": "port-1"}},
        "metadata": {"message_id": "m", "timestamp": "2026-11-23 11:00:00"},
    }
    opened = from_panko(panko("port.update.end") | {"raw": raw})

    assert opened.flavour is Flavour.LEGACY
    assert opened.payload == {"port": {"id": "port-1"}}
    assert opened.context == {"request_id": "req-1"}
    assert opened.timestamp == "2026-11-23 11:00:00"


def test_a_panko_event_without_id_gets_the_same_one_again() -> None:
    item = {"event_type": "x.y", "traits": []}

    assert from_panko(item).message_id == from_panko(json.loads(json.dumps(item))).message_id


@pytest.mark.parametrize("item", [None, [], "x", {}, {"event_type": 3}])
def test_what_is_no_panko_event_is_refused(item: object) -> None:
    with pytest.raises(UnreadableNotification):
        from_panko(item)


def test_a_list_of_events_in_one_notification_is_unpacked() -> None:
    first, second = panko("a.b"), panko("c.d") | {"message_id": "other"}
    opened = open_envelope(envelope(message("event", [first, second], priority="SAMPLE")))

    assert [item.event_type for item in unpack(opened)] == ["a.b", "c.d"]


def test_any_other_notification_unpacks_to_itself() -> None:
    opened = open_envelope(envelope(CREATED))

    assert unpack(opened) == (opened,)
