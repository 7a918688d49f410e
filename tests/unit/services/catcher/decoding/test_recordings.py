"""Whatever people recorded is read: every wrapping, one value, a list, or a value a line."""

import json
from typing import Any

import pytest

from services.catcher.decoding.notification import Notification
from services.catcher.decoding.recordings import read_recording
from shared.errors import UnreadableNotification
from tests.support.notifications import bare, envelope, legacy_nova, message, panko

TYPE = "compute.instance.update"
NOTIFICATION = legacy_nova(TYPE)
ENVELOPE = json.loads(envelope(NOTIFICATION))
CARRIER = message("event", [panko(TYPE), panko(TYPE)])


def types(recording: bytes) -> list[str]:
    return [
        read.event_type if isinstance(read, Notification) else "unreadable"
        for read in read_recording(recording)
    ]


def refusals(recording: bytes) -> list[str]:
    return [
        str(read) for read in read_recording(recording) if isinstance(read, UnreadableNotification)
    ]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (NOTIFICATION, 1),
        (ENVELOPE, 1),
        (panko(TYPE), 1),
        ([panko(TYPE), panko(TYPE)], 2),
        (CARRIER, 2),
        (json.loads(envelope(CARRIER)), 2),
        ({"request": json.loads(envelope(CARRIER)), "context": {}}, 2),
        ({"messages": [{"body": panko(TYPE), "ttl": 60}, {"body": NOTIFICATION}]}, 2),
        ([NOTIFICATION, ENVELOPE, panko(TYPE)], 3),
        ({"exchange": "nova", "routing_key": "notifications.info", "body": ENVELOPE}, 1),
        ({"routing_key": "notifications.info", "body": NOTIFICATION}, 1),
        ({"properties": {"content_encoding": "utf-8"}, "body": json.dumps(ENVELOPE)}, 1),
        ({"properties": {"headers": {}}, "body": json.dumps(NOTIFICATION)}, 1),
    ],
)
def test_every_wrapping_is_opened_however_it_is_written(content: Any, count: int) -> None:
    pretty = json.dumps(content, indent=2).encode()
    lines = bare(content) + b"\n\n" + bare(content)

    assert types(bare(content)) == [TYPE] * count
    assert types(pretty) == [TYPE] * count
    assert types(lines) == [TYPE] * count * 2


def test_what_cannot_be_read_says_where_and_the_rest_goes_on() -> None:
    lines = [bare(NOTIFICATION), b"not JSON", b"7", bare([NOTIFICATION, {}]), bare(NOTIFICATION)]

    assert types(b"\r\n".join(lines)) == [
        TYPE,
        "unreadable",
        "unreadable",
        TYPE,
        "unreadable",
        TYPE,
    ]
    assert [refusal.partition(":")[0] for refusal in refusals(b"\r\n".join(lines))] == [
        "line 2",
        "line 3",
        "line 4, item 2",
    ]


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (b'{"body": "x"}', "none of exchange, routing_key"),
        (b'{"exchange": "nova", "body": "x"}', "the message is not JSON"),
        (b'{"exchange": "nova", "body": 7}', "a notification is an object"),
        (b'{"exchange": "n", "properties": {"content_encoding": "br"}, "body": "x"}', "'br'"),
        (b"[" * 300 + b"]" * 300, "nested deeper"),
        (b'{"event_type": "event", "payload": [3]}', "the file, item 1: a notification is an"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_refusal_names_what_is_wrong(recording: bytes, reason: str) -> None:
    (refusal,) = refusals(recording)

    assert reason in refusal


def test_an_empty_file_holds_nothing() -> None:
    assert types(b"") == types(b" \n\n") == types(b"[]") == []


def test_numbers_that_are_no_json_do_not_break_a_pretty_printed_file() -> None:
    content = json.dumps(message("x.y", {"free": float("nan")}), indent=2)

    (read,) = read_recording(content.encode())

    assert isinstance(read, Notification)
    assert read.payload == {"free": None}
