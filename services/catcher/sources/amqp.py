"""OpenStack's RabbitMQ, read through a queue of our own.

We are guests there. Exchanges are never declared, only looked for; other people's queues are never
touched (taking from `notifications.info` would steal Ceilometer's messages); our queue is named,
durable, and bounded in length and time, so that our absence cannot fill the cloud's disk.

OpenStack's exchanges are not durable by default: a broker restart deletes them, and our bindings
with them, while our queue stays. The services declare them again when they next publish, and
nothing would arrive any more, without any error. So bindings are renewed on every connect *and* on
a timer. What is published between an exchange's return and our binding is lost to us, so a lost
connection is reported as a gap.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import structlog
from aiormq.abc import DeliveredMessage

from services.catcher.decoding.envelope import open_envelope, unpack
from services.catcher.decoding.notification import Notification
from services.catcher.sources.port import Handover, OnGap, Unreadable
from shared.amqp.address import Address
from shared.amqp.consumer import BatchConsumer, RawBatch, open_consumer
from shared.amqp.session import Session
from shared.errors import BusUnavailable, UnreadableNotification
from shared.waiting import end

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we read of one broker and virtual host."""

    queue: str
    """Our own queue, e.g. `osevents.prod`."""
    exchanges: tuple[str, ...]
    """Each service's `control_exchange`; those that do not exist are looked for again."""
    routing_keys: tuple[str, ...]
    """`<topic>.<priority>`; exact, since `notifications.*` would pull in `sample` (metering)."""
    queue_length: int
    """Messages kept while we are away; beyond, the broker drops the oldest: a gap."""
    queue_expires: timedelta
    """The broker deletes the queue after this long without a consumer."""
    rebind_interval: timedelta
    prefetch: int

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the queue's arguments; all valid for classic queues of every RabbitMQ 3 and 4."""
        return {
            "x-max-length": self.queue_length,
            "x-overflow": "drop-head",
            "x-expires": int(self.queue_expires.total_seconds() * 1000),
        }


class AMQPSource:
    """See `services.catcher.sources.port.Source`; get one from `open_amqp_source`."""

    def __init__(self, subscription: Subscription, on_gap: OnGap) -> None:
        self.unbound: dict[str, str] = {}
        """Exchanges that we could not bind, and why."""
        self._subscription = subscription
        self._on_gap = on_gap
        self._was_connected = False
        self._consumer: BatchConsumer | None = None

    @property
    def name(self) -> str:
        """See the port."""
        return self._subscription.queue

    @property
    def trouble(self) -> str | None:
        """See the port."""
        if self._consumer is None or not self._consumer.connected.is_set():
            return (self._consumer and self._consumer.last_trouble) or "not connected yet"
        if len(self.unbound) == len(self._subscription.exchanges):
            return "none of the exchanges can be bound: " + "; ".join(
                f"{name}: {reason}" for name, reason in sorted(self.unbound.items())
            )
        return None

    async def receive(self, *, most: int, wait: timedelta) -> Handover:
        """See the port."""
        assert self._consumer is not None
        raw = await self._consumer.receive(most=most, wait=wait)
        items = itertools.chain.from_iterable(_open(message) for message in raw.messages)
        return Handover(tuple(items), raw)

    async def done(self, handover: Handover) -> None:
        """See the port."""
        assert self._consumer is not None
        assert isinstance(handover.token, RawBatch)
        await self._consumer.acknowledge(handover.token)

    def attach(self, consumer: BatchConsumer) -> None:
        """Say which consumer reads the queue; it calls `prepare`, so it is made after us."""
        self._consumer = consumer

    async def prepare(self, session: Session) -> None:
        """Make our queue and bind it; called on every new session."""
        queue = self._subscription.queue
        waiting = await session.waiting_in(queue)
        if waiting is None:
            await self._on_gap(f"queue {queue} did not exist: it is new, was deleted or expired")
        elif self._was_connected:
            await self._on_gap(
                f"the connection for queue {queue} was lost: {self._last_trouble}; "
                "a broker restart takes the bindings to OpenStack's exchanges with it"
            )
        await session.declare_queue(queue, self._subscription.arguments)
        await self._look_for_overflow(waiting)
        await self.bind(session)
        self._was_connected = True

    async def bind(self, session: Session) -> list[str]:
        """Bind to every exchange that there is; return those that could not be bound before."""
        appeared: list[str] = []
        for exchange in self._subscription.exchanges:
            problem = await session.bind_foreign(
                self._subscription.queue, exchange, self._subscription.routing_keys
            )
            if problem == self.unbound.get(exchange):
                continue
            if problem is None:
                del self.unbound[exchange]
                appeared.append(exchange)
                log.info("exchange_bound", exchange=exchange)
            else:
                self.unbound[exchange] = problem
                log.warning("exchange_not_bound", exchange=exchange, reason=problem)
        return appeared

    async def keep_bound(self) -> None:
        """Renew the bindings for ever, and look whether the queue overflows."""
        assert self._consumer is not None
        while True:
            await asyncio.sleep(self._subscription.rebind_interval.total_seconds())
            session = self._consumer.session
            if session is None:
                continue
            try:
                appeared = await self.bind(session)
                if appeared:
                    await self._on_gap(
                        f"bound to {', '.join(appeared)} only now; what was sent there before is "
                        "not known to us"
                    )
                await self._look_for_overflow(await session.waiting_in(self._subscription.queue))
            except BusUnavailable as error:
                session.close(f"renewing the bindings failed: {error}")

    async def _look_for_overflow(self, waiting: int | None) -> None:
        if waiting is not None and waiting >= self._subscription.queue_length:
            await self._on_gap(
                f"queue {self._subscription.queue} is full ({waiting} messages): "
                "the broker has dropped the oldest"
            )

    @property
    def _last_trouble(self) -> str:
        return self._consumer.last_trouble if self._consumer is not None else ""


def _open(message: DeliveredMessage) -> Sequence[Notification | Unreadable]:
    headers = message.header.properties.headers or {}
    compression = headers.get("compression")
    try:
        return unpack(
            open_envelope(
                message.body, compression=compression if isinstance(compression, str) else None
            )
        )
    except UnreadableNotification as error:
        return (Unreadable(message.body, str(error)),)


@asynccontextmanager
async def open_amqp_source(
    address: Address, subscription: Subscription, *, on_gap: OnGap, random: Random
) -> AsyncIterator[AMQPSource]:
    """Read `subscription` until the context is left."""
    source = AMQPSource(subscription, on_gap)
    async with open_consumer(
        address,
        subscription.queue,
        source.prepare,
        prefetch=subscription.prefetch,
        random=random,
    ) as consumer:
        source.attach(consumer)
        task = asyncio.create_task(source.keep_bound(), name=f"keep {subscription.queue} bound")
        try:
            yield source
        finally:
            await end(task)


def routing_keys(topics: Sequence[str], priorities: Sequence[str]) -> tuple[str, ...]:
    """Return every `<topic>.<priority>`."""
    return tuple(f"{topic}.{priority}" for topic in topics for priority in priorities)
