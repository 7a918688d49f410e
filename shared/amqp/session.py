"""One connection to a broker with one channel, for as long as it lives.

aio-pika makes the connection; the channel underneath is used directly, since batches want delivery
tags, `multiple` acknowledgements and pipelined confirms, which its message objects hide.
aio-pika's "robust" classes are not used: how they restore queues and bindings after a broker
restart has known holes, so reconnecting is done above this module, where the topology is known.
"""

import asyncio
import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp import commands as spec

from shared.amqp.address import Address
from shared.amqp.connecting import connect
from shared.errors import BusUnavailable
from shared.waiting import within

CONNECT_SECONDS = 10.0
CALL_SECONDS = 30.0
CLOSE_SECONDS = 3.0
"""For a polite goodbye; at the end of a half-open socket nobody hears it."""
HEARTBEAT_SECONDS = 15
"""A half-open socket is noticed after three missed heartbeats."""

_QUEUE_IS_AWAY = re.compile(
    "down or inaccessible|stopped by supervisor|has no leader", re.IGNORECASE
)
"""RabbitMQ answers 404 also for a queue whose node is down."""
_TOO_LARGE = re.compile(r"larger than (?:configured )?max size (?P<limit>\d+)")
"""In RabbitMQ's words: `message size 500 is larger than configured max size 400`."""

log = structlog.get_logger(__name__)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Depth:
    """How full a queue is."""

    messages: int
    """Ready to be delivered."""
    consumers: int


class MessageTooLarge(BusUnavailable):
    """The broker refuses bodies of more than `limit_bytes`; it closed the channel over one."""

    def __init__(self, message: str, limit_bytes: int) -> None:
        super().__init__(message)
        self.limit_bytes = limit_bytes


class Session:
    """A channel and the operations on it; everything raises BusUnavailable when it fails."""

    def __init__(
        self, connection: AbstractConnection, channel: aiormq.Channel, host: str, rank: int = 0
    ) -> None:
        self.host = host
        self.rank = rank
        """How many hosts of the address are preferred to this one, and did not answer."""
        self._connection = connection
        self.closed = asyncio.Event()
        """Set when the channel or the connection ended, or the broker cancelled the consumer."""
        self.reason = ""
        self._channel = channel
        channel.closing.add_done_callback(lambda _: self.close("the connection or channel closed"))
        channel.on_consumer_cancel_callbacks.add(self._on_consumer_cancelled)

    def close(self, reason: str) -> None:
        """Mark the session as ended; whoever waits on `closed` opens the next one."""
        if not self.closed.is_set():
            self.reason = reason
            self.closed.set()

    async def declare_exchange(self, name: str, kind: Literal["topic", "fanout"]) -> None:
        """Declare a durable exchange of our own."""
        await self._call(
            f"declaring exchange {name!r}",
            self._channel.exchange_declare(name, exchange_type=kind, durable=True),
        )

    async def declare_queue(self, name: str, arguments: Mapping[str, Any]) -> int:
        """Declare a durable queue of our own; return how many messages wait in it."""
        answer = await self._call(
            f"declaring queue {name!r}",
            self._channel.queue_declare(name, durable=True, arguments=dict(arguments)),
        )
        return answer.message_count or 0

    async def declare_own(self, name: str, arguments: Mapping[str, Any]) -> str | None:
        """Declare a durable queue of our own on a foreign broker.

        Returns None, or the broker's words when the queue is there with other arguments; it is as
        usable as before then.
        """
        what = f"declaring queue {name!r}"

        async def declare(channel: AbstractChannel) -> None:
            await channel.queue_declare(name, durable=True, arguments=dict(arguments))

        try:
            await self._on_scratch_channel(what, declare)
        except BusUnavailable as error:
            if isinstance(error.__cause__, aiormq.exceptions.ChannelPreconditionFailed):
                return str(error.__cause__)
            raise
        return None

    async def bind(self, queue: str, exchange: str, routing_key: str) -> None:
        """Bind a queue of ours to an exchange of ours; doing it again changes nothing."""
        await self._call(
            f"binding queue {queue!r} to exchange {exchange!r} with {routing_key!r}",
            self._channel.queue_bind(queue, exchange, routing_key),
        )

    async def waiting_in(self, queue: str) -> int | None:
        """Return how many messages wait in a queue; None when there is no such queue.

        A queue whose node is down is there: BusUnavailable.
        """
        depth = await self.depth_of(queue)
        return None if depth is None else depth.messages

    async def depth_of(self, queue: str) -> Depth | None:
        """Return what waits in a queue, ours or not, and who reads; None when there is none.

        Needs no permission, and changes nothing.
        """

        async def look(channel: AbstractChannel) -> Depth:
            answer = await channel.queue_declare(queue, passive=True)
            return Depth(answer.message_count or 0, answer.consumer_count or 0)

        try:
            return await self._on_scratch_channel(f"looking for queue {queue!r}", look)
        except BusUnavailable as error:
            away = _QUEUE_IS_AWAY.search(str(error))
            if isinstance(error.__cause__, aiormq.exceptions.ChannelNotFoundEntity) and not away:
                return None
            raise

    async def try_queue(self, name: str, *, lives: timedelta) -> list[str]:
        """Make, read and delete a queue of that name; return what the broker refuses.

        It ends by itself after `lives`, should we not come to deleting it.
        """
        refused: list[str] = []
        arguments: dict[str, Any] = {"x-expires": int(lives.total_seconds() * 1000)}

        async def declare(channel: AbstractChannel) -> None:
            await channel.queue_declare(name, durable=True, arguments=arguments)

        async def read(channel: AbstractChannel) -> None:
            await channel.basic_get(name)

        for what, call in (("declaring", declare), ("reading", read)):
            try:
                await self._on_scratch_channel(f"{what} queue {name!r}", call)
            except BusUnavailable as error:
                if not isinstance(error.__cause__, aiormq.exceptions.ChannelAccessRefused):
                    raise
                refused.append(str(error.__cause__))
        return refused

    async def delete_own(self, queue: str) -> None:
        """Delete a queue of ours with all it holds; without effect when there is none."""

        async def delete(channel: AbstractChannel) -> None:
            await channel.queue_delete(queue)

        await self._on_scratch_channel(f"deleting queue {queue!r}", delete)

    async def bind_foreign(self, queue: str, exchange: str, keys: Sequence[str]) -> str | None:
        """Bind our queue to somebody else's exchange; return why not, or None.

        The exchange is only looked for (passive, so its type and durability do not matter), never
        declared: its owner would fail to declare it with other arguments. Needs permission to read
        the exchange and to write our queue.
        """

        async def bind(channel: AbstractChannel) -> None:
            await channel.exchange_declare(exchange, passive=True)
            for key in keys:
                await channel.queue_bind(queue, exchange, key)

        try:
            await self._on_scratch_channel(f"binding to exchange {exchange!r}", bind)
        except BusUnavailable as error:
            if isinstance(error.__cause__, aiormq.exceptions.ChannelNotFoundEntity):
                return "there is no such exchange (yet)"
            if isinstance(error.__cause__, aiormq.exceptions.ChannelAccessRefused):
                return f"not permitted: {error.__cause__}"
            raise
        return None

    async def consume(
        self,
        queue: str,
        on_message: Callable[[DeliveredMessage], Coroutine[None, None, None]],
        *,
        prefetch: int,
    ) -> None:
        """Start deliveries to `on_message`, at most `prefetch` unacknowledged at a time."""
        await self._call("setting prefetch", self._channel.basic_qos(prefetch_count=prefetch))
        await self._call(
            f"consuming queue {queue!r}", self._channel.basic_consume(queue, on_message)
        )

    async def acknowledge(self, tag: int, *, multiple: bool) -> None:
        """Acknowledge one delivery, or all up to it."""
        await self._call(
            "acknowledging", self._channel.basic_ack(tag, multiple=multiple, wait=False)
        )

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: spec.Basic.Properties
    ) -> None:
        """Publish one message and return when the broker confirmed it.

        Run several at once to pipeline: they leave in the order in which they were started.
        A message that no queue takes is an error, since the broker would confirm and drop it.
        """
        what = f"publishing to exchange {exchange!r} with {routing_key!r}"
        with _unavailable_when_it_fails(what, self.host):
            # Not `within`, whose task for each message costs throughput.
            async with asyncio.timeout(CALL_SECONDS):
                await self._channel.basic_publish(
                    body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=properties,
                    mandatory=True,
                    wait=False,
                )

    def _on_consumer_cancelled(self, _frame: spec.Basic.Cancel) -> None:
        self.close("the broker cancelled the consumer; its queue was deleted or moved")

    async def _on_scratch_channel(
        self, what: str, work: Callable[[AbstractChannel], Awaitable[_Answer]]
    ) -> _Answer:
        """Do `work` on a channel that may be lost: the broker closes it with every "no"."""

        async def done() -> _Answer:
            channel = await self._connection.channel(publisher_confirms=False)
            answer = await work(await channel.get_underlay_channel())
            await channel.close()
            return answer

        with _unavailable_when_it_fails(what, self.host):
            return await within(done(), CALL_SECONDS)

    async def _call(self, what: str, call: Awaitable[_Answer]) -> _Answer:
        with _unavailable_when_it_fails(what, self.host):
            return await within(call, CALL_SECONDS)


@contextmanager
def _unavailable_when_it_fails(what: str, host: str) -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        # Nobody cancelled us: aiormq cancels its pending calls when a connection breaks.
        raise BusUnavailable(f"{what} at {host}: the connection broke") from error
    except (aiormq.exceptions.AMQPError, OSError, RuntimeError, TimeoutError) as error:
        if _is_cancelled():
            # Somebody did cancel us, and aiormq made an error of its own of it.
            raise asyncio.CancelledError from error
        # A RuntimeError is what aiormq says of a connection that is closed already.
        if too_large := _TOO_LARGE.search(str(error)):
            limit = int(too_large["limit"])
            raise MessageTooLarge(f"{what} at {host}: {_describe(error)}", limit) from error
        raise BusUnavailable(f"{what} at {host}: {_describe(error)}") from error


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def open_session(address: Address, *, name: str) -> AsyncIterator[Session]:
    """Connect to the first host of `address` that answers; `name` is shown by the broker.

    Raises BusUnavailable, naming every host tried and why it did not work.
    """
    connection, host, rank = await _connect(address, name)
    try:

        async def opened() -> AbstractChannel:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            return await channel.get_underlay_channel()

        with _unavailable_when_it_fails("opening a channel", host):
            underlay = await within(opened(), CALL_SECONDS)
        assert isinstance(underlay, aiormq.Channel), "the only class aiormq has"
        session = Session(connection, underlay, host, rank)
        try:
            yield session
        finally:
            session.close("we left")
    finally:
        await _close(connection)


async def _close(connection: AbstractConnection) -> None:
    """Close politely, for a bounded time; a broken connection cannot be, and that is all right."""
    closing = asyncio.ensure_future(connection.close())
    _, unfinished = await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    for task in unfinished:
        task.cancel()
    if closing.done() and not closing.cancelled() and (error := closing.exception()):
        log.debug("close_failed", reason=_describe(error))


async def _connect(address: Address, name: str) -> tuple[AbstractConnection, str, int]:
    failures = []
    for rank, url in enumerate(address.urls):
        host = f"{url.host}:{url.port}"
        query = {"heartbeat": str(HEARTBEAT_SECONDS), "name": name} | dict(url.query)
        connection = aio_pika.Connection(url.update_query(query), ssl_context=address.tls)
        try:
            await connect(connection, seconds=CONNECT_SECONDS)
        except (aiormq.exceptions.AMQPError, OSError, TimeoutError) as error:
            if _is_cancelled():
                raise asyncio.CancelledError from error
            failures.append(f"{host}: {_describe(error)}")
        else:
            return connection, host, rank
    raise BusUnavailable(f"no broker can be reached: {'; '.join(failures)}")


def _describe(error: BaseException) -> str:
    if isinstance(error, aiormq.exceptions.InvalidFrameError) and "Connection.OpenOk" in str(error):
        # aiormq keeps the broker's words (530 NOT_ALLOWED) to itself here.
        return "the virtual host is not there, or our user may not use it"
    return f"{type(error).__name__} {error}".strip()
