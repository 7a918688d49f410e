"""Consume one queue for as long as we live: batches out, acknowledgements in, reconnects inside.

A loop of its own (started by `open_consumer`) opens a session, prepares the topology, consumes into
a buffer bounded by the prefetch, and begins anew with backoff when the session ends: after a
broker restart, a closed connection, a deleted queue (the broker cancels the consumer) or a
half-open socket (heartbeats stop). Deliveries of an ended session are forgotten: the broker hands
them out again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import structlog
from aiormq.abc import DeliveredMessage

from shared.amqp.address import Address
from shared.amqp.session import Session, open_session
from shared.backoff import Backoff
from shared.errors import BusUnavailable
from shared.waiting import beside, unless_stopped

Prepare = Callable[[Session], Awaitable[None]]
"""Declares and binds what the consumer needs; called on every new session, so idempotent."""

RECONNECT = Backoff(longest_seconds=5.0)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Messages in the order of delivery, and the session they came through."""

    messages: tuple[DeliveredMessage, ...]
    session: Session


class BatchConsumer:
    """The consuming end of one queue; get one from `open_consumer`.

    One task at a time may call `receive`; acknowledgements may come in any order.
    """

    def __init__(
        self,
        address: Address,
        queue: str,
        prepare: Prepare,
        *,
        prefetch: int,
        fail_back: timedelta | None = None,
    ) -> None:
        self.connected = asyncio.Event()
        """Set while deliveries can arrive."""
        self.reconnects = 0
        self.last_trouble = ""
        """Why there is no session, or why the last one ended."""
        self.session: Session | None = None
        """The live session, for whoever has to renew bindings now and then."""
        self.moved = False
        """Whether the last session was ended by us, to go back to a preferred host."""
        self.bodies = 0
        """How many bodies came in all."""
        self.body_bytes = 0
        self._fail_back = fail_back
        self._address = address
        self._queue = queue
        self._prepare = prepare
        self._prefetch = prefetch
        self._buffer: deque[DeliveredMessage] = deque()
        self._arrived = asyncio.Event()
        self._handed_out: list[RawBatch] = []

    async def receive(
        self, *, most: int, wait: timedelta, most_bytes: int | None = None
    ) -> RawBatch:
        """Return one to `most` messages: wait for the first, then up to `wait` for more.

        Fewer when their bodies would exceed `most_bytes` together. A cancelled call takes nothing
        out of the buffer.
        """
        while True:
            await self._arrived.wait()
            if len(self._buffer) < most:
                await self._wait_for_more(most, wait)
            if self._buffer and self.session is not None:
                break
        batch = RawBatch(tuple(self._take(most, most_bytes)), self.session)
        if not self._buffer:
            self._arrived.clear()
        self._handed_out.append(batch)
        return batch

    async def acknowledge(self, batch: RawBatch) -> None:
        """Tell the broker that `batch` is done; without effect once its session has ended."""
        if batch.session is not self.session:
            return
        oldest = self._handed_out[0] is batch
        self._handed_out.remove(batch)
        with suppress(BusUnavailable):  # the broker delivers again what it did not hear about
            if oldest:
                await batch.session.acknowledge(_tag(batch.messages[-1]), multiple=True)
                return
            # `multiple` would also acknowledge an older batch that is still being worked on.
            for message in batch.messages:
                await batch.session.acknowledge(_tag(message), multiple=False)

    async def run(self, *, backoff: Backoff, random: Random) -> None:
        """Keep a session open for ever.

        One that ended soon after it began counts as a failed try: what ended it may be there again.
        """
        now = asyncio.get_running_loop().time
        attempt = 0
        while True:
            try:
                async with open_session(self._address, name=f"osevents {self._queue}") as session:
                    await self._consume(session)
                    began = now()
                    await self._until_it_ends(session)
                    if now() - began >= backoff.longest_seconds:
                        attempt = 0
                    self.last_trouble = session.reason
            except BusUnavailable as error:
                self.moved = False
                self.last_trouble = str(error)
            finally:
                self._forget_session()
            attempt += 1
            self.reconnects += 1
            log.warning("consumer_disconnected", queue=self._queue, reason=self.last_trouble)
            await asyncio.sleep(backoff.delay_seconds(attempt, random))

    async def _consume(self, session: Session) -> None:
        await self._prepare(session)
        self.moved = False
        self.session = session

        async def on_message(message: DeliveredMessage) -> None:
            # A delivery that was under way when its session ended must not join the next one's.
            if session is self.session:
                self._buffer.append(message)
                self.bodies += 1
                self.body_bytes += len(message.body)
                self._arrived.set()

        await session.consume(self._queue, on_message, prefetch=self._prefetch)
        self.connected.set()
        log.info("consumer_connected", queue=self._queue, host=session.host)

    async def _until_it_ends(self, session: Session) -> None:
        """Wait for the end of `session`; end it ourselves when a preferred host is well again.

        What was delivered and not acknowledged is delivered again there.
        """
        while session.rank and self._fail_back is not None and not session.closed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._fail_back.total_seconds()):
                    await session.closed.wait()
                    return
            # A host that does not answer must not hide that ours has gone.
            better = await unless_stopped(self._better_host(session), session.closed)
            if better is not None and not session.closed.is_set():
                self.moved = True
                log.info("failing_back", queue=self._queue, host=session.host, to=better)
                session.close(f"going back to {better}, which is preferred and well again")
        await session.closed.wait()

    async def _better_host(self, session: Session) -> str | None:
        """Return a preferred host that serves our queue, None while there is none."""
        preferred = self._address.before(session.rank)
        try:
            async with open_session(preferred, name=f"osevents {self._queue} probe") as probe:
                there = await probe.waiting_in(self._queue)
                return probe.host if there is not None else None
        except BusUnavailable as error:
            log.debug("preferred_host_away", queue=self._queue, reason=str(error))
            return None

    def _take(self, most: int, most_bytes: int | None) -> Iterator[DeliveredMessage]:
        taken_bytes = 0
        for _ in range(min(most, len(self._buffer))):
            taken_bytes += len(self._buffer[0].body)
            yield self._buffer.popleft()
            if most_bytes is not None and taken_bytes >= most_bytes:
                return

    def _forget_session(self) -> None:
        self.connected.clear()
        self.session = None
        self._buffer.clear()
        self._handed_out.clear()
        self._arrived.clear()

    async def _wait_for_more(self, most: int, wait: timedelta) -> None:
        """Return when `most` are there, when `wait` is over, or when the buffer was forgotten."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                while 0 < len(self._buffer) < most:
                    self._arrived.clear()
                    await self._arrived.wait()
        if self._buffer:
            self._arrived.set()


def _tag(message: DeliveredMessage) -> int:
    tag = message.delivery_tag
    assert tag is not None, "the broker numbers every delivery"
    return tag


@asynccontextmanager
async def open_consumer(
    address: Address,
    queue: str,
    prepare: Prepare,
    *,
    prefetch: int,
    random: Random,
    fail_back: timedelta | None = None,
) -> AsyncIterator[BatchConsumer]:
    """Consume `queue` until the context is left; what was not acknowledged goes back by itself.

    `fail_back` is how often to look, while connected to a host that is not the first of `address`,
    whether one before it is well again; None: never.
    """
    consumer = BatchConsumer(address, queue, prepare, prefetch=prefetch, fail_back=fail_back)
    consuming = consumer.run(backoff=RECONNECT, random=random)
    async with beside(**{f"consuming queue {queue}": consuming}):
        yield consumer
