"""The bus on RabbitMQ.

Topology: topic exchange `osevents`; for each consumer group a durable quorum queue
`osevents.<group>` bound with `#`; fanout exchange `osevents.dead` with queue `osevents.dead`.
Publishers and consumers alike declare all of it, so that nothing is lost when a consumer starts
last, and a deleted queue comes back.

Under load, events of one routing key travel together as a CloudEvents batch: one broker message
costs far more than one event (see docs/decisions/0003-batches-on-the-bus.md).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from aiormq.abc import DeliveredMessage
from pamqp import commands as spec

from shared.amqp.address import Address
from shared.amqp.consumer import BatchConsumer, Prepare, RawBatch, open_consumer
from shared.amqp.publisher import ConfirmedPublisher, Outgoing, open_publisher
from shared.amqp.session import Session
from shared.bus.port import Batch, DeadLetterBatch
from shared.clock import Clock
from shared.codec import BATCH, SINGLE, decode, encode, encode_batch, routing_key
from shared.dead_letter import DeadLetter
from shared.errors import UnreadableEvent
from shared.event import Event

EXCHANGE = "osevents"
DEAD = "osevents.dead"
GROUPS = ("processor", "refresher")
"""The groups whose queues exist from the start; others may bind queues of their own."""

MOST_EVENTS_IN_A_MESSAGE = 100
PREFETCH_MESSAGES = 200

_PERSISTENT = 2
_GROUP_QUEUE: dict[str, Any] = {
    "x-queue-type": "quorum",
    # Bounded, and full means that publishers wait: the catcher then leaves events in the cloud's
    # own queue, which is bounded too.
    "x-max-length": 200_000,
    "x-overflow": "reject-publish",
    # RabbitMQ 4 would drop a message after 20 deliveries; a consumer that crashes on other
    # messages uses up the count of all it had prefetched, so allow many, then keep it.
    "x-delivery-limit": 1000,
    "x-dead-letter-exchange": DEAD,
    "x-dead-letter-strategy": "at-least-once",
}
_DEAD_QUEUE: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-max-length": 100_000,
    "x-overflow": "reject-publish",
}


def queue_of(group: str) -> str:
    """Return the name of a group's queue."""
    return f"osevents.{group}"


async def declare_topology(session: Session, groups: Sequence[str] = GROUPS) -> None:
    """Declare the exchanges and every group's queue; again and again without effect."""
    await session.declare_exchange(EXCHANGE, "topic")
    await session.declare_exchange(DEAD, "fanout")
    await session.declare_queue(DEAD, _DEAD_QUEUE)
    await session.bind(DEAD, DEAD, "")
    for group in groups:
        await session.declare_queue(queue_of(group), _GROUP_QUEUE)
        await session.bind(queue_of(group), EXCHANGE, "#")


class RabbitBus:
    """Both ends of the bus; get one from `open_rabbit_bus`."""

    def __init__(
        self, address: Address, publisher: ConfirmedPublisher, *, clock: Clock, random: Random
    ) -> None:
        self._address = address
        self._publisher = publisher
        self._clock = clock
        self._random = random
        self._consumers: list[BatchConsumer] = []

    @property
    def trouble(self) -> str | None:
        """See `shared.bus.port.Bus.trouble`."""
        for consumer in self._consumers:
            if not consumer.connected.is_set():
                return consumer.last_trouble or "not connected yet"
        return None

    async def publish(self, events: Sequence[Event]) -> None:
        """See `shared.bus.port.Publisher.publish`."""
        if events:
            await self._publisher.publish(messages_of(events))

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """See `shared.bus.port.Publisher.dead_letter`."""
        if letters:
            await self._publisher.publish([_outgoing_letter(letter) for letter in letters])

    @asynccontextmanager
    async def subscribe(self, group: str) -> AsyncIterator["RabbitSubscription"]:
        """See `shared.bus.port.Bus.subscribe`."""

        async def prepare(session: Session) -> None:
            await declare_topology(session, sorted({*GROUPS, group}))

        async with self._consume(queue_of(group), prepare) as consumer:
            yield RabbitSubscription(consumer, self, self._clock)

    @asynccontextmanager
    async def dead_letters(self) -> AsyncIterator["RabbitDeadLetters"]:
        """See `shared.bus.port.Bus.dead_letters`."""
        async with self._consume(DEAD, declare_topology) as consumer:
            yield RabbitDeadLetters(consumer, self._clock)

    @asynccontextmanager
    async def _consume(self, queue: str, prepare: Prepare) -> AsyncIterator[BatchConsumer]:
        async with open_consumer(
            self._address, queue, prepare, prefetch=PREFETCH_MESSAGES, random=self._random
        ) as consumer:
            self._consumers.append(consumer)
            try:
                yield consumer
            finally:
                self._consumers.remove(consumer)


@dataclass(frozen=True, slots=True)
class RabbitSubscription:
    """See `shared.bus.port.Subscription`."""

    consumer: BatchConsumer
    bus: RabbitBus
    clock: Clock

    async def receive(self, *, most: int, wait: timedelta) -> Batch:
        """See `shared.bus.port.Subscription.receive`."""
        while True:
            # A message may hold many events, so "about `most`" is counted in events below.
            raw = await self.consumer.receive(most=most, wait=wait)
            events: list[Event] = []
            letters: list[DeadLetter] = []
            for message in raw.messages:
                try:
                    events.extend(decode(message.body, message.header.properties.content_type))
                except UnreadableEvent as error:
                    letters.append(
                        DeadLetter("bus", str(error), None, message.body, self.clock.now())
                    )
            await self.bus.dead_letter(letters)
            if events:
                return Batch(tuple(events), raw)
            await self.consumer.acknowledge(raw)

    async def acknowledge(self, batch: Batch) -> None:
        """See `shared.bus.port.Subscription.acknowledge`."""
        assert isinstance(batch.token, RawBatch)
        await self.consumer.acknowledge(batch.token)


@dataclass(frozen=True, slots=True)
class RabbitDeadLetters:
    """See `shared.bus.port.DeadLetterSubscription`."""

    consumer: BatchConsumer
    clock: Clock

    async def receive(self, *, most: int, wait: timedelta) -> DeadLetterBatch:
        """See `shared.bus.port.DeadLetterSubscription.receive`."""
        raw = await self.consumer.receive(most=most, wait=wait)
        letters = tuple(_incoming_letter(message, self.clock) for message in raw.messages)
        return DeadLetterBatch(letters, raw)

    async def acknowledge(self, batch: DeadLetterBatch) -> None:
        """See `shared.bus.port.DeadLetterSubscription.acknowledge`."""
        assert isinstance(batch.token, RawBatch)
        await self.consumer.acknowledge(batch.token)


def messages_of(events: Sequence[Event]) -> list[Outgoing]:
    """Return the messages for `events`: those of one routing key together, in their order."""
    by_key: dict[str, list[Event]] = {}
    for event in events:
        by_key.setdefault(routing_key(event), []).append(event)
    return [
        _outgoing(key, group[start : start + MOST_EVENTS_IN_A_MESSAGE])
        for key, group in by_key.items()
        for start in range(0, len(group), MOST_EVENTS_IN_A_MESSAGE)
    ]


def _outgoing(key: str, events: Sequence[Event]) -> Outgoing:
    if len(events) == 1:
        body, content_type = encode(events[0]), SINGLE
    else:
        body, content_type = encode_batch(events), BATCH
    properties = spec.Basic.Properties(content_type=content_type, delivery_mode=_PERSISTENT)
    return Outgoing(EXCHANGE, key, body, properties)


def _outgoing_letter(letter: DeadLetter) -> Outgoing:
    headers: dict[str, Any] = {
        "x-osevents-origin": letter.origin,
        "x-osevents-reason": letter.reason,
        "x-osevents-at": letter.at.isoformat(),
    }
    if letter.cloud is not None:
        headers["x-osevents-cloud"] = letter.cloud
    return Outgoing(
        DEAD, "", letter.body, spec.Basic.Properties(headers=headers, delivery_mode=_PERSISTENT)
    )


def _incoming_letter(message: DeliveredMessage, clock: Clock) -> DeadLetter:
    headers = message.header.properties.headers or {}
    at = headers.get("x-osevents-at")
    if not isinstance(at, str):
        # Not ours: the broker moved it here itself, after too many deliveries.
        reason = f"delivered too often by the broker: {headers.get('x-first-death-reason')!r}"
        return DeadLetter("bus", reason, None, message.body, clock.now())
    cloud = headers.get("x-osevents-cloud")
    return DeadLetter(
        origin=str(headers["x-osevents-origin"]),
        reason=str(headers["x-osevents-reason"]),
        cloud=str(cloud) if cloud is not None else None,
        body=message.body,
        at=datetime.fromisoformat(at).astimezone(UTC),
    )


@asynccontextmanager
async def open_rabbit_bus(
    url: str, *, name: str, clock: Clock, random: Random
) -> AsyncIterator[RabbitBus]:
    """Open the bus at `url` (amqp:// or amqps://); connections are made when they are needed."""
    address = Address.parse(url)
    async with open_publisher(address, declare_topology, name=name) as publisher:
        yield RabbitBus(address, publisher, clock=clock, random=random)
