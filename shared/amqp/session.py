"""One connection to a broker with one channel, for as long as it lives.

aio-pika makes the connection; the channel underneath is used directly, since batches want delivery
tags, `multiple` acknowledgements and pipelined confirms, which its message objects hide.
aio-pika's "robust" classes are not used: how they restore queues and bindings after a broker
restart has known holes, so reconnecting is done above this module, where the topology is known.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp import commands as spec

from shared.amqp.address import Address
from shared.amqp.connecting import Connection, connect, disconnect
from shared.amqp.failures import (
    MessageTooLarge,
    described,
    in_our_words,
    is_failure,
    unavailable_when_it_fails,
)
from shared.errors import BusUnavailable
from shared.waiting import within

CONNECT_SECONDS = 10.0
CALL_SECONDS = 30.0
HEARTBEAT_SECONDS = 15
"""A half-open socket is noticed after three missed heartbeats."""

_QUEUE_IS_AWAY = re.compile(
    "down or inaccessible|stopped by supervisor|has no leader", re.IGNORECASE
)
"""RabbitMQ answers 404 also for a queue whose node is down."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Depth:
    """How full a queue is."""

    messages: int
    """Ready to be delivered."""
    consumers: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    exchange: str
    routing_key: str
    body: bytes
    properties: spec.Basic.Properties


class Session:
    """A channel and the operations on it; everything raises BusUnavailable when it fails."""

    def __init__(
        self, connection: Connection, channel: aiormq.Channel, host: str, rank: int = 0
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
            if isinstance(error.__cause__, ValueError):
                return f"it cannot be named in AMQP: {error.__cause__}"
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

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages in their order and return when the broker confirmed them all.

        A message that no queue takes is an error, since the broker would confirm and drop it.
        Of several failures the one is raised that says most: MessageTooLarge, else the first.
        """
        # A task for each, so that they are pipelined: all are on their way before the first
        # confirm is back. One deadline for all costs less than one for each.
        publishing = asyncio.gather(  # noqa: TID251 - a TaskGroup would wait for a lost cancel
            *map(self._publish, messages), return_exceptions=True
        )
        with unavailable_when_it_fails(f"publishing {len(messages)} messages", self.host):
            outcomes = await within(publishing, CALL_SECONDS)
        failures = [
            self._failure(message, outcome)
            for message, outcome in zip(messages, outcomes, strict=True)
            if isinstance(outcome, BaseException)
        ]
        if failures:
            too_large = (each for each in failures if isinstance(each, MessageTooLarge))
            raise next(too_large, failures[0])

    async def _publish(self, message: Outgoing) -> None:
        await self._channel.basic_publish(
            message.body,
            exchange=message.exchange,
            routing_key=message.routing_key,
            properties=message.properties,
            mandatory=True,
            wait=False,
        )

    def _failure(self, message: Outgoing, error: BaseException) -> BaseException:
        """Return what to raise; what is no failure of the broker's is a defect, and passes.

        So does what AMQP cannot say (a key that is too long): it is not the broker's either.
        """
        is_ours = isinstance(error, ValueError)
        if is_ours or not (is_failure(error) or isinstance(error, asyncio.CancelledError)):
            return error
        what = f"publishing to exchange {message.exchange!r} with {message.routing_key!r}"
        failure = in_our_words(error, what, self.host)
        failure.__cause__ = error
        return failure

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

        with unavailable_when_it_fails(what, self.host):
            return await within(done(), CALL_SECONDS)

    async def _call(self, what: str, call: Awaitable[_Answer]) -> _Answer:
        with unavailable_when_it_fails(what, self.host):
            return await within(call, CALL_SECONDS)


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

        with unavailable_when_it_fails("opening a channel", host):
            underlay = await within(opened(), CALL_SECONDS)
        assert isinstance(underlay, aiormq.Channel), "the only class aiormq has"
        session = Session(connection, underlay, host, rank)
        try:
            yield session
        finally:
            session.close("we left")
    finally:
        await disconnect(connection)


async def _connect(address: Address, name: str) -> tuple[Connection, str, int]:
    failures = []
    for rank, url in enumerate(address.urls):
        host = f"{url.host}:{url.port}"
        query = {"heartbeat": str(HEARTBEAT_SECONDS), "name": name} | dict(url.query)
        connection = Connection(url.update_query(query), ssl_context=address.tls)
        try:
            await connect(connection, seconds=CONNECT_SECONDS)
        except Exception as error:
            if not is_failure(error):
                raise
            failures.append(f"{host}: {described(error)}")
        else:
            return connection, host, rank
    raise BusUnavailable(f"no broker can be reached: {'; '.join(failures)}")
