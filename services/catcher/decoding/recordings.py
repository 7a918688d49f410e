"""Notifications from files: whatever somebody recorded, in whichever wrapping it came.

A file is JSON lines, one JSON value, or a JSON list. Each value may be an oslo.messaging envelope,
a bare notification, an event of Panko, a body that a Ceilometer publisher sent (a list, a
notification that carries events, Zaqar's messages, STF's request), or a message with what the
broker said of it: `{exchange, routing_key, properties, body}`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.catcher.decoding.envelope import from_panko, open_envelope
from services.catcher.decoding.json_text import check_depth, parsed, quoted
from services.catcher.decoding.notification import Notification
from shared.errors import UnreadableNotification

Read = Notification | UnreadableNotification
"""A notification, or why there is none."""

_AROUND_A_BODY = ("exchange", "routing_key", "properties", "headers")


def read_recording(text: bytes) -> Iterator[Read]:
    """Yield the notifications in the content of a file, in order; what is none as its error."""
    try:
        whole = parsed(text, "the file")
    except UnreadableNotification:
        whole = None  # lines, perhaps
    if type(whole) is dict or type(whole) is list:
        yield from _read(whole, text, "the file")
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield from _read_line(line, f"line {number}")


def _read_line(line: bytes, place: str) -> Iterator[Read]:
    try:
        value = parsed(line, "it")
    except UnreadableNotification as error:
        yield UnreadableNotification(f"{place}: {error}")
        return
    yield from _read(value, line, place)


def _read(value: Any, text: bytes, place: str) -> Iterator[Read]:
    try:
        check_depth(value, text)
    except UnreadableNotification as error:
        yield UnreadableNotification(f"{place}: {error}")
        return
    for index, item in enumerate(_carried(value)):
        part = f"{place}, item {index + 1}" if item is not value else place
        try:
            opened = _opened(item)
        except UnreadableNotification as error:
            yield UnreadableNotification(f"{part}: {error}")
            continue
        if opened.event_type == "event" and type(opened.payload) is list:
            yield from _read(opened.payload, text, part)
        else:
            yield opened


def _carried(value: Any) -> list[Any]:
    """Return the notifications that `value` is a container of, or itself as the only one."""
    if type(value) is dict and type(value.get("messages")) is list:
        return [
            message["body"] if type(message) is dict and "body" in message else message
            for message in value["messages"]
        ]
    return value if type(value) is list else [value]


def _opened(value: Any) -> Notification:
    if type(value) is dict:
        if "event_type" not in value and type(value.get("request")) is dict:
            return _opened(value["request"])
        if "event_type" not in value and "body" in value:
            return _with_its_properties(value)
        if "traits" in value and "payload" not in value:
            return from_panko(value)
    return open_envelope(_body(value))


def _with_its_properties(message: Mapping[str, Any]) -> Notification:
    known = [key for key in _AROUND_A_BODY if key in message]
    if not known:
        raise UnreadableNotification(
            f"there is a body, but none of {', '.join(_AROUND_A_BODY)} that a recorded message has"
        )
    properties = _object(message.get("properties"))
    headers = _object(properties.get("headers")) or _object(message.get("headers"))
    body = message["body"]
    if type(body) is dict and "oslo.message" not in body:
        return _opened(body)
    return open_envelope(
        _body(body),
        content_encoding=_text(properties.get("content_encoding")),
        compression=_text(headers.get("compression")),
    )


def _body(value: Any) -> bytes:
    """Return the bytes that the message was, as far as one can tell."""
    if type(value) is str:
        return value.encode(errors="replace")
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise UnreadableNotification(f"{quoted(value)} cannot be a message: {error}") from error


def _object(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict else {}


def _text(value: Any) -> str | None:
    return value if type(value) is str else None
