"""Opens what sources hand over: oslo.messaging bodies of every driver, Panko's and Ceilometer's.

Formats: envelope v2 (`messagingv2`: an object with `oslo.version` and `oslo.message`, the latter a
string of JSON), v1 (`messaging`: the notification itself), Kafka's nested `_context`; Panko's
events with traits as objects, Ceilometer's publishers with traits as triples.
"""

import bz2
import hashlib
import math
import uuid
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.catcher.decoding.json_text import check_depth, parsed, quoted, settled, without_nul
from services.catcher.decoding.notification import CONTEXT_KEYS, Notification
from shared.catalogue.paths import WRAPPING, wrapping_key
from shared.errors import UnreadableNotification
from shared.event import Flavour

_LONGEST_ID = 255
_LONGEST_TYPE = 1000
_LARGEST_BODY = 256 * 2**20
_TRIPLE = 3
_COMPRESSIONS = {
    "application/x-gzip": "zlib",
    "gzip": "zlib",
    "zlib": "zlib",
    "application/x-bz2": "bz2",
    "bz2": "bz2",
    "bzip2": "bz2",
}
"""kombu's names for them; what it calls gzip is a bare zlib stream."""
_IDS = uuid.UUID("0b8c0ff5-6c1b-5b9e-9d0c-6f5a3c0b7f52")
"""The namespace of the ids derived for notifications without one."""
_CONTEXT = tuple((f"_context_{key}", key) for key in CONTEXT_KEYS)


def open_envelope(
    body: bytes, *, content_encoding: str | None = None, compression: str | None = None
) -> Notification:
    """Return the notification in an AMQP or Kafka message body.

    `compression` is the header of that name, `content_encoding` the property (`utf-8` as a rule,
    which says nothing). Raises UnreadableNotification saying in one line what is wrong.
    """
    compressed = compression or content_encoding
    if compressed and compressed.lower() != "utf-8":
        body = _decompressed(body, compressed)
    message = parsed(body, "the message")
    inner = message
    if type(message) is dict and "oslo.message" in message and "oslo.version" in message:
        inner = _enveloped(message)
    check_depth(inner, body)
    if b"\\u0000" in body:
        inner = without_nul(inner)
    return _from_message(inner, body)


def from_panko(item: Any) -> Notification:
    """Return the notification behind an event of Panko or of a Ceilometer publisher.

    Where the operator keeps the raw notification (`store_raw`), that is it; otherwise the traits
    stand in for the payload. Raises UnreadableNotification.
    """
    if type(item) is not dict:
        raise UnreadableNotification(f"an event of Panko is an object, this is {quoted(item)}")
    item, text = settled(item, "the event of Panko")
    event_type = _event_type(item)
    message_id = _message_id(item, text)
    raw = item.get("raw")
    if type(raw) is dict and "payload" in raw:
        return _from_raw(raw, item, event_type, message_id)
    traits = _traits(item.get("traits"))
    return Notification(
        message_id=message_id,
        event_type=event_type,
        publisher_id=_string(traits.get("service")),
        priority=_string(traits.get("priority")).lower() or "info",
        timestamp=_string(item.get("generated")),
        payload=traits,
        context=traits,
        flavour=Flavour.TRAITS,
    )


def unpack(notification: Notification) -> tuple[Notification, ...]:
    """Return the notifications within `notification`: itself, or those it carries.

    Ceilometer's `notifier://` publisher sends a list of events as the payload of one notification
    of type `event`. Raises UnreadableNotification when one of them is none.
    """
    carried = notification.payload
    if notification.event_type == "event" and type(carried) is list:
        return tuple(from_panko(item) for item in carried)
    return (notification,)


def _decompressed(body: bytes, compression: str) -> bytes:
    kind = _COMPRESSIONS.get(compression.lower())
    if kind is None:
        known = ", ".join(sorted(_COMPRESSIONS))
        raise UnreadableNotification(f"unknown compression {quoted(compression)}; known: {known}")
    try:
        if kind == "bz2":
            opened = bz2.BZ2Decompressor().decompress(body, _LARGEST_BODY)
        else:
            # 32: a bare zlib stream, as kombu makes, and a real gzip file alike.
            opened = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, _LARGEST_BODY)
    except (OSError, ValueError, zlib.error) as error:
        raise UnreadableNotification(f"the message is not {kind}: {error}") from error
    if len(opened) >= _LARGEST_BODY:
        raise UnreadableNotification(f"the message is {_LARGEST_BODY} bytes or more unpacked")
    return opened


def decompressed_by_magic(body: bytes) -> bytes:
    """Return `body` unpacked when its first bytes say zlib, gzip or bzip2; else as it is."""
    kinds = {b"\x78": "zlib", b"\x1f\x8b": "gzip", b"BZh": "bz2"}
    for magic, kind in kinds.items():
        if body.startswith(magic):
            try:
                return _decompressed(body, kind)
            except UnreadableNotification:
                return body
    return body


def _enveloped(message: dict[str, Any]) -> Any:
    version, text = message["oslo.version"], message["oslo.message"]
    if type(version) is not str or version.partition(".")[0] != "2":
        raise UnreadableNotification(f"oslo.version is {quoted(version)}; 2.x can be read")
    if type(text) is not str:
        raise UnreadableNotification(f"oslo.message is {quoted(text)}, not a string of JSON")
    return parsed(text, "oslo.message")


def _from_message(message: Any, body: bytes) -> Notification:
    if type(message) is not dict:
        raise UnreadableNotification(f"a notification is an object, this is {quoted(message)}")
    get = message.get
    payload = get("payload")
    flavour, namespace = _flavour(payload)
    nested = get("_context")
    return Notification(
        _message_id(message, body),
        _event_type(message),
        _string(get("publisher_id")),
        _string(get("priority")).lower() or "info",
        _string(get("timestamp")),
        payload,
        (
            {key: nested[key] for key in CONTEXT_KEYS if key in nested}
            if type(nested) is dict
            else {key: message[name] for name, key in _CONTEXT if name in message}
        ),
        flavour,
        namespace,
    )


def _from_raw(
    raw: dict[str, Any], item: dict[str, Any], event_type: str, message_id: str
) -> Notification:
    """Return the notification that Ceilometer kept as its listener saw it."""
    flavour, namespace = _flavour(raw["payload"])
    context, metadata = raw.get("ctxt"), raw.get("metadata")
    sent = _string(metadata.get("timestamp")) if type(metadata) is dict else ""
    return Notification(
        message_id=message_id,
        event_type=event_type,
        publisher_id=_string(raw.get("publisher_id")),
        priority=_string(raw.get("priority")).lower() or "info",
        timestamp=sent or _string(item.get("generated")),
        payload=raw["payload"],
        context=(
            {key: context[key] for key in CONTEXT_KEYS if key in context}
            if type(context) is dict
            else {}
        ),
        flavour=flavour,
        namespace=namespace,
    )


def _event_type(message: Mapping[str, Any]) -> str:
    event_type = message.get("event_type")
    if type(event_type) is not str or not event_type:
        keys = ", ".join(list(message)[:8]) or "none"
        raise UnreadableNotification(
            f"event_type is {quoted(event_type)}, not a name; the keys are {quoted(keys)}"
        )
    if len(event_type) > _LONGEST_TYPE:
        raise UnreadableNotification(
            f"event_type has {len(event_type)} characters, more than {_LONGEST_TYPE}:"
            f" {quoted(event_type)}"
        )
    return event_type


def _message_id(message: Mapping[str, Any], content: bytes) -> str:
    """Return the id as sent, or one derived from the content: the same at every redelivery."""
    message_id = message.get("message_id")
    if type(message_id) is str and 0 < len(message_id) <= _LONGEST_ID:
        return message_id
    return str(uuid.uuid5(_IDS, hashlib.sha256(content).hexdigest()))


def _flavour(payload: Any) -> tuple[Flavour, str]:
    """Tell the flavour of a payload, and for a versioned object whose it is."""
    if type(payload) is dict:
        wrapping = wrapping_key(payload)
        if wrapping:
            return Flavour.VERSIONED, wrapping.removesuffix(WRAPPING)
        if "typeURI" in payload and "initiator" in payload:
            return Flavour.CADF, ""
    return Flavour.LEGACY, ""


def _traits(traits: Any) -> dict[str, Any]:
    """Return name -> value of traits, given as Panko's objects or Ceilometer's triples.

    Panko writes every value as a string and says its type beside it.
    """
    found: dict[str, Any] = {}
    for trait in traits if type(traits) is list else ():
        if type(trait) is dict and type(trait.get("name")) is str:
            found[trait["name"]] = _typed(trait.get("type"), trait.get("value"))
        elif type(trait) is list and len(trait) == _TRIPLE and type(trait[0]) is str:
            found[trait[0]] = trait[2]
    return found


def _typed(kind: Any, value: Any) -> Any:
    """Return the value that a trait's text stands for; the text where it is none of its type."""
    read = _READ_AS.get(kind) if type(kind) is str and type(value) is str else None
    if read is None:
        return value
    try:
        return read(value)
    except (ValueError, OverflowError):
        return value


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _integer(text: str) -> int | str:
    number = int(text)
    return number if -_BIGINT <= number < _BIGINT else text


def _moment(text: str) -> str:
    """Return a time as ISO with its zone, which Panko leaves out: it is UTC."""
    time = datetime.fromisoformat(text)
    zoned = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return zoned.isoformat().replace("+00:00", "Z")


_BIGINT = 2**63
_READ_AS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "float": _float,
    "datetime": _moment,
}


def _string(value: Any) -> str:
    return value if type(value) is str else ""
