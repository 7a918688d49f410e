"""OpenStack's RabbitMQ, read through a queue of our own.

We are guests there. Exchanges are never declared, only looked for; other people's queues are never
touched (taking from `notifications.info` would steal Ceilometer's messages); our queue is named,
durable, and bounded in length and time, so that our absence cannot fill the cloud's disk.

A broker restart deletes OpenStack's exchanges (`amqp_bindings.py`). What is published between an
exchange's return and our binding is lost to us, so a lost connection is reported as a gap.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import structlog
from aiormq.abc import DeliveredMessage

from services.catcher.decoding.envelope import open_envelope, unpack
from services.catcher.decoding.notification import Notification
from services.catcher.sources.amqp_bindings import Bindings
from services.catcher.sources.amqp_queue import Overflow, Subscription, absence
from services.catcher.sources.last_read import LastRead
from services.catcher.sources.port import Handover, OnGap, Unreadable
from shared.amqp.address import Address
from shared.amqp.consumer import BatchConsumer, RawBatch, open_consumer
from shared.amqp.session import Session
from shared.errors import BusUnavailable, UnreadableNotification
from shared.event import Occasion
from shared.waiting import beside

log = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0
"""Between two looks at the queue's length: too short a time to drain a queue that was full."""
SILENCE_SHOWS_SECONDS = 3.0
"""A broker that does not answer a look for so long is in trouble; a half-open socket shows so."""
SILENCE_ENDS_SECONDS = 10.0
"""After that the connection is given up and made anew; heartbeats alone would take 48 s."""


class AMQPSource:
    """See `services.catcher.sources.port.Source`; get one from `open_amqp_source`."""

    def __init__(
        self, subscription: Subscription, on_gap: OnGap, last_read: LastRead | None = None
    ) -> None:
        self.bindings = Bindings(subscription)
        self.other_arguments: str | None = None
        """The broker's words when our queue is there with other arguments than we want."""
        self._subscription = subscription
        self._on_gap = on_gap
        self._last_read = last_read
        self._overflow = Overflow(subscription)
        self._was_connected = False
        self._asked_at: float | None = None
        self._told: set[str] = set()
        self._consumer: BatchConsumer | None = None

    @property
    def name(self) -> str:
        """See the port."""
        return self._subscription.name

    @property
    def occasion(self) -> Occasion:
        """See the port."""
        return Occasion.NEWS

    @property
    def trouble(self) -> str | None:
        """See the port."""
        if self._consumer is None or not self._consumer.connected.is_set():
            return (self._consumer and self._consumer.last_trouble) or "not connected yet"
        silent = self._silent_seconds
        if silent > SILENCE_SHOWS_SECONDS:
            return f"the broker at {self.host} has not answered for {silent:.0f} s"
        return self.bindings.trouble

    @property
    def host(self) -> str | None:
        """Which host serves us; None while none does."""
        session = self._consumer.session if self._consumer is not None else None
        return session.host if session is not None else None

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

    def leave(self) -> Handover | None:
        """See the port; the broker delivers again what was not acknowledged."""
        return None

    def attach(self, consumer: BatchConsumer) -> None:
        """Say which consumer reads the queue; it calls `prepare`, so it is made after us."""
        self._consumer = consumer

    async def prepare(self, session: Session) -> None:
        """Make our queue and bind it; called on every new session."""
        queue = self._subscription.queue
        waiting = await session.waiting_in(queue)
        lost = absence(self._subscription, waiting, await self._ago())
        if lost is not None:
            await self._tell_once("absence", lost)
        elif self._was_connected and not self._moved:
            await self._tell_once(
                "connection",
                f"the connection for queue {queue} was lost: {self._last_trouble}; "
                "a broker restart takes the bindings to OpenStack's exchanges with it",
            )
        await self._declare(session)
        await self._look_at(waiting)
        await self.bindings.make(session)
        self._was_connected = True
        self._told.clear()
        await self._note()

    async def keep_bound(self) -> None:
        """Renew the bindings for ever."""
        while True:
            await asyncio.sleep(self._subscription.rebind_interval.total_seconds())
            async with self._in_session() as session:
                if session is not None:
                    await self._tell_appeared(await self.bindings.renew(session))
                    await self._note()

    async def watch(self) -> None:
        """Look for ever whether the broker answers, the queue is full, lost exchanges are back."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            async with self._in_session() as session:
                if session is None:
                    continue
                waiting = await self._asked(session)
                await self._look_at(waiting)
                await self._tell_appeared(await self.bindings.find_lost(session))

    async def _asked(self, session: Session) -> int | None:
        """Return how many messages wait; BusUnavailable when the broker says nothing for long."""
        self._asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(SILENCE_ENDS_SECONDS):
                return await session.waiting_in(self._subscription.queue)
        except TimeoutError:
            raise BusUnavailable(
                f"{session.host} has not answered for {SILENCE_ENDS_SECONDS:g} s"
            ) from None
        finally:
            self._asked_at = None

    @property
    def _silent_seconds(self) -> float:
        asked_at = self._asked_at
        return 0.0 if asked_at is None else asyncio.get_running_loop().time() - asked_at

    async def _tell_appeared(self, appeared: Sequence[str]) -> None:
        if appeared:
            await self._on_gap(
                f"bound to {', '.join(appeared)} only now; what was sent there before is not known"
                " to us"
            )

    @asynccontextmanager
    async def _in_session(self) -> AsyncIterator[Session | None]:
        """Give the live session, if there is one; what fails with the broker ends it."""
        assert self._consumer is not None
        session = self._consumer.session
        try:
            yield session
        except BusUnavailable as error:
            if session is not None:
                session.close(f"looking after the queue failed: {error}")

    async def _declare(self, session: Session) -> None:
        refused = await session.declare_own(self._subscription.queue, self._subscription.arguments)
        if refused is not None and refused != self.other_arguments:
            # Reading on is better than reading nothing; the queue is as bounded as it was.
            queue = self._subscription.queue
            mend = (
                "it is read as it is; to apply the settings stop the catchers, delete it"
                f" (`rabbitmqctl delete_queue -p VHOST {queue}`) and start them"
            )
            log.warning("queue_has_other_arguments", queue=queue, reason=refused, mend=mend)
        self.other_arguments = refused

    async def _look_at(self, waiting: int | None) -> None:
        if waiting is None:
            return
        consumer = self._consumer
        mean = consumer.body_bytes / consumer.bodies if consumer and consumer.bodies else None
        news = self._overflow.look(waiting, mean)
        if news is not None:
            await self._on_gap(news)

    async def _tell_once(self, kind: str, reason: str) -> None:
        """Report a gap, but not again while what follows fails: a full pass a try is too much."""
        if kind not in self._told:
            await self._on_gap(reason)
            self._told.add(kind)

    async def _ago(self) -> timedelta | None:
        return await self._last_read.ago() if self._last_read is not None else None

    async def _note(self) -> None:
        if self._last_read is not None:
            await self._last_read.note()

    @property
    def _moved(self) -> bool:
        """Whether we left the last host ourselves; the broker was there all the time then."""
        return self._consumer is not None and self._consumer.moved

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
    address: Address,
    subscription: Subscription,
    *,
    on_gap: OnGap,
    random: Random,
    last_read: LastRead | None = None,
) -> AsyncIterator[AMQPSource]:
    """Read `subscription` until the context is left.

    Without `last_read`, an absence longer than the queue's time to live does not show.
    """
    source = AMQPSource(subscription, on_gap, last_read)
    async with open_consumer(
        address,
        subscription.queue,
        source.prepare,
        prefetch=subscription.prefetch,
        random=random,
        fail_back=subscription.fail_back,
    ) as consumer:
        source.attach(consumer)
        works = {
            f"keeping queue {subscription.queue} bound": source.keep_bound(),
            f"watching queue {subscription.queue}": source.watch(),
        }
        async with beside(**works):
            yield source


def routing_keys(topics: Sequence[str], priorities: Sequence[str]) -> tuple[str, ...]:
    """Return every `<topic>.<priority>`."""
    return tuple(f"{topic}.{priority}" for topic in topics for priority in priorities)
