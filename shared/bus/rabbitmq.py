"""The bus on RabbitMQ.

Topology: topic exchange `osevents`; for each consumer group a durable quorum queue
`osevents.<group>` bound with `#`; fanout exchange `osevents.dead` with queue `osevents.dead`.
Publishers and consumers alike declare all of it, so that nothing is lost when a consumer starts
last, and a deleted queue comes back.

What the messages look like is the business of `shared.bus.messages`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import structlog

from shared.amqp.address import Address
from shared.amqp.consumer import RECONNECT, BatchConsumer, Prepare, RawBatch, open_consumer
from shared.amqp.failures import MessageTooLarge
from shared.amqp.publisher import ConfirmedPublisher, open_publisher
from shared.amqp.session import Outgoing, Session
from shared.bus.messages import (
    DEAD,
    EXCHANGE,
    LARGEST_MESSAGE_BYTES,
    letter_of,
    message_of,
    messages_of,
    take,
)
from shared.bus.port import Batch, DeadLetterBatch
from shared.clock import Clock
from shared.dead_letter import DeadLetter
from shared.errors import BusUnavailable
from shared.event import Event
from shared.retrying import until_it_works

GROUPS = ("processor", "refresher")
"""The groups whose queues exist from the start; others may bind queues of their own."""

PREFETCH_MESSAGES = 100
BATCH_BYTES = 2 * 2**20
"""What a consumer takes at once: a message holds many events, so messages are no measure."""
QUEUE_BYTES = 2 * 2**30

_GROUP_QUEUE: dict[str, Any] = {
    "x-queue-type": "quorum",
    # Bounded (see `declare_topology`), and full means that publishers wait: the catcher then
    # leaves events in the cloud's own queue, which is bounded too.
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

log = structlog.get_logger(__name__)


def queue_of(group: str) -> str:
    """Return the name of a group's queue."""
    return f"osevents.{group}"


async def declare_topology(
    session: Session, groups: Sequence[str] = GROUPS, *, queue_bytes: int = QUEUE_BYTES
) -> None:
    """Declare the exchanges and every group's queue; again and again without effect."""
    await session.declare_exchange(EXCHANGE, "topic")
    await session.declare_exchange(DEAD, "fanout")
    await session.declare_queue(DEAD, _DEAD_QUEUE)
    await session.bind(DEAD, DEAD, "")
    for group in groups:
        arguments = {**_GROUP_QUEUE, "x-max-length-bytes": queue_bytes}
        await session.declare_queue(queue_of(group), arguments)
        await session.bind(queue_of(group), EXCHANGE, "#")


def _past_the_exchange(message: Outgoing, group: str) -> Outgoing:
    """Return an event's message for one group's queue: the default exchange takes queues' names."""
    if message.exchange != EXCHANGE:  # a dead letter, of an event that is too large
        return message
    return replace(message, exchange="", routing_key=queue_of(group))


class RabbitBus:
    """Both ends of the bus; get one from `open_rabbit_bus`."""

    def __init__(
        self,
        address: Address,
        publisher: ConfirmedPublisher,
        prepare: Prepare,
        *,
        clock: Clock,
        random: Random,
    ) -> None:
        self._address = address
        self._publisher = publisher
        self._prepare = prepare
        self._clock = clock
        self._random = random
        self._consumers: list[BatchConsumer] = []
        self._largest_bytes = LARGEST_MESSAGE_BYTES
        self._not_taken: str | None = None
        """Why the last attempt to publish failed; None when it did not."""

    @property
    def trouble(self) -> str | None:
        """See `shared.bus.port.Bus.trouble`."""
        for consumer in self._consumers:
            if not consumer.connected.is_set():
                return consumer.last_trouble or "not connected yet"
        # A consumer may publish so seldom that its last failure says nothing of the present.
        return None if self._consumers else self._not_taken

    async def publish(self, events: Sequence[Event]) -> None:
        """See `shared.bus.port.Publisher.publish`."""
        if events:
            now = self._clock.now()
            await self._publish(messages_of(events, now=now, largest=self._largest_bytes))

    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        """See `shared.bus.port.DirectPublisher.publish_to`."""
        if events:
            messages = messages_of(events, now=self._clock.now(), largest=self._largest_bytes)
            await self._publish([_past_the_exchange(message, group) for message in messages])

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """See `shared.bus.port.Publisher.dead_letter`."""
        if letters:
            largest = self._largest_bytes
            await self._publish([message_of(letter, largest=largest) for letter in letters])

    async def _publish(self, messages: Sequence[Outgoing]) -> None:
        try:
            await self._publisher.publish(messages)
        except MessageTooLarge as error:
            # The next try heeds what the broker has just told.
            self._largest_bytes = min(self._largest_bytes, error.limit_bytes)
            log.warning("bus_takes_less", limit_bytes=error.limit_bytes)
            raise
        except BusUnavailable as error:
            self._not_taken = str(error)
            raise
        self._not_taken = None

    async def backlog(self) -> int:
        """See `shared.bus.port.Publisher.backlog`."""
        return max([await self._publisher.waiting_in(queue_of(group)) for group in GROUPS])

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Make dead letters of what we received, however long the broker makes us wait."""
        await until_it_works(
            lambda: self.dead_letter(letters),
            backoff=RECONNECT,
            random=self._random,
            on_failure=lambda error, attempt: log.warning(
                "dead_letters_wait", reason=str(error), attempt=attempt
            ),
        )

    @asynccontextmanager
    async def subscribe(self, group: str) -> AsyncIterator["RabbitSubscription"]:
        """See `shared.bus.port.Bus.subscribe`."""
        async with self._consume(queue_of(group)) as consumer:
            yield RabbitSubscription(consumer, self, self._clock)

    @asynccontextmanager
    async def dead_letters(self) -> AsyncIterator["RabbitDeadLetters"]:
        """See `shared.bus.port.Bus.dead_letters`."""
        async with self._consume(DEAD) as consumer:
            yield RabbitDeadLetters(consumer, self._clock)

    @asynccontextmanager
    async def _consume(self, queue: str) -> AsyncIterator[BatchConsumer]:
        async with open_consumer(
            self._address, queue, self._prepare, prefetch=PREFETCH_MESSAGES, random=self._random
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
            raw = await self.consumer.receive(most=most, wait=wait, most_bytes=BATCH_BYTES)
            events: list[Event] = []
            letters: list[DeadLetter] = []
            for message in raw.messages:
                letters += take(message, events, self.clock)
            if letters:
                await self.bus.keep(letters)
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
        letters = tuple(letter_of(message, self.clock) for message in raw.messages)
        return DeadLetterBatch(letters, raw)

    async def acknowledge(self, batch: DeadLetterBatch) -> None:
        """See `shared.bus.port.DeadLetterSubscription.acknowledge`."""
        assert isinstance(batch.token, RawBatch)
        await self.consumer.acknowledge(batch.token)


@asynccontextmanager
async def open_rabbit_bus(
    url: str, *, name: str, clock: Clock, random: Random, queue_bytes: int = QUEUE_BYTES
) -> AsyncIterator[RabbitBus]:
    """Open the bus at `url` (amqp:// or amqps://); connections are made when they are needed.

    `queue_bytes` bounds each group's queue; RabbitMQ refuses another value for an existing one.
    """
    address = Address.parse(url)

    async def prepare(session: Session) -> None:
        await declare_topology(session, queue_bytes=queue_bytes)

    async with open_publisher(address, prepare, name=name) as publisher:
        yield RabbitBus(address, publisher, prepare, clock=clock, random=random)
