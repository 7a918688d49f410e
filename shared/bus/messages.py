"""The messages of the bus on RabbitMQ: events and dead letters to messages, and back.

Under load, events of one routing key travel together as a CloudEvents batch: one broker message
costs far more than one event (see docs/decisions/0003-batches-on-the-bus.md).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from aiormq.abc import DeliveredMessage
from pamqp import commands as spec

from shared.amqp.session import Outgoing
from shared.clock import Clock
from shared.codec import BATCH, SINGLE, decode, encode, encode_batch, routing_key, split
from shared.dead_letter import DeadLetter
from shared.errors import UnreadableEvent
from shared.event import Event

EXCHANGE = "osevents"
DEAD = "osevents.dead"

MOST_EVENTS_IN_A_MESSAGE = 50
LARGEST_BATCH_BYTES = 4 * 2**20
"""Of events that travel together; more would only make redeliveries dear."""
LARGEST_MESSAGE_BYTES = 16 * 2**20
"""RabbitMQ 4 refuses larger bodies unless `max_message_size` says otherwise (before: 128 MiB)."""

_LONGEST_HEADER = 4000
"""Characters; all headers of a message must fit into one frame of 128 KiB."""
_PERSISTENT = 2


def messages_of(
    events: Sequence[Event], *, now: datetime, largest: int = LARGEST_MESSAGE_BYTES
) -> list[Outgoing]:
    """Return the messages for `events`: those of one routing key together, in their order.

    An event that the broker would refuse for its size, `largest` bytes as it stands, becomes a dead
    letter: published again and again it would stop everything behind it for ever.
    """
    by_key: dict[str, list[Event]] = {}
    for event in events:
        by_key.setdefault(routing_key(event), []).append(event)
    return [
        message
        for key, group in by_key.items()
        for start in range(0, len(group), MOST_EVENTS_IN_A_MESSAGE)
        for message in _outgoing(
            key, group[start : start + MOST_EVENTS_IN_A_MESSAGE], now=now, largest=largest
        )
    ]


def _outgoing(
    key: str, events: Sequence[Event], *, now: datetime, largest: int
) -> Iterator[Outgoing]:
    """Yield the message of `events`, or several where one would be too large."""
    if len(events) == 1:
        body, content_type = encode(events[0]), SINGLE
        if len(body) > largest:
            yield message_of(_too_large(events[0], body, now, largest), largest=largest)
            return
    else:
        body, content_type = encode_batch(events), BATCH
    if len(body) > min(largest, LARGEST_BATCH_BYTES) and len(events) > 1:
        middle = len(events) // 2
        yield from _outgoing(key, events[:middle], now=now, largest=largest)
        yield from _outgoing(key, events[middle:], now=now, largest=largest)
        return
    properties = spec.Basic.Properties(content_type=content_type, delivery_mode=_PERSISTENT)
    yield Outgoing(EXCHANGE, key, body, properties)


def _too_large(event: Event, body: bytes, now: datetime, largest: int) -> DeadLetter:
    reason = (
        f"the event {event.id} of type {event.type} has {len(body)} bytes; the bus takes {largest}"
    )
    return DeadLetter("bus", reason, event.cloud, body, now)


def message_of(letter: DeadLetter, *, largest: int = LARGEST_MESSAGE_BYTES) -> Outgoing:
    """Return the message for a dead letter; of a body beyond `largest` bytes only the beginning."""
    reason, body = letter.reason, letter.body
    if len(body) > largest:
        reason = (
            f"{reason[: _LONGEST_HEADER // 2]} (kept: the first {largest} of {len(body)} bytes)"
        )
        body = body[:largest]
    headers: dict[str, Any] = {
        "x-osevents-origin": letter.origin,
        "x-osevents-reason": reason[:_LONGEST_HEADER],
        "x-osevents-at": letter.at.isoformat(),
        "x-osevents-first-at": (letter.first_at or letter.at).isoformat(),
        "x-osevents-tries": letter.tries,
    }
    if letter.cloud is not None:
        headers["x-osevents-cloud"] = letter.cloud[:_LONGEST_HEADER]
    return Outgoing(
        DEAD, "", body, spec.Basic.Properties(headers=headers, delivery_mode=_PERSISTENT)
    )


def letter_of(message: DeliveredMessage, clock: Clock) -> DeadLetter:
    """Return the dead letter in a message."""
    headers = message.header.properties.headers or {}
    cloud, death = headers.get("x-osevents-cloud"), headers.get("x-first-death-reason")
    try:
        at = _moment(headers["x-osevents-at"])
        # A letter from a version that did not tell these has died once.
        first_at = _moment(headers.get("x-osevents-first-at", headers["x-osevents-at"]))
        return DeadLetter(
            origin=str(headers["x-osevents-origin"]),
            reason=str(headers["x-osevents-reason"]),
            cloud=str(cloud) if cloud is not None else None,
            body=message.body,
            at=at,
            first_at=first_at if first_at < at else None,
            tries=int(str(headers.get("x-osevents-tries", 1))),
        )
    except (KeyError, OverflowError, ValueError):
        if death is None:
            reason = f"sent to {DEAD} by somebody else"
            return DeadLetter("bus", reason, None, message.body, clock.now())
        reason = f"delivered too often by the broker: {death!r}"
        # The group whose queue it died in, so that it can be sent back there.
        _, _, group = str(headers.get("x-first-death-queue", "")).partition("osevents.")
        return DeadLetter(group or "bus", reason, None, message.body, clock.now())


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def take(message: DeliveredMessage, events: list[Event], clock: Clock) -> list[DeadLetter]:
    """Add the events of a message to `events`; return what in it is none."""
    kind = message.header.properties.content_type
    try:
        events.extend(decode(message.body, kind))
    except UnreadableEvent as error:
        # Of a batch only what is wrong is given up.
        parts = split(message.body, kind)
        if parts:
            return [letter for part in parts for letter in _take_part(part, events, clock)]
        return [DeadLetter("bus", str(error), None, message.body, clock.now())]
    return []


def _take_part(part: bytes, events: list[Event], clock: Clock) -> list[DeadLetter]:
    try:
        events.extend(decode(part, SINGLE))
    except UnreadableEvent as error:
        return [DeadLetter("bus", str(error), None, part, clock.now())]
    return []
