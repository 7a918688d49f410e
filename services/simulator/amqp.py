"""Notifications on the real wire: RabbitMQ, as oslo.messaging's rabbit driver speaks to it.

One topic exchange for each service, and before the first message for an exchange and key on a
connection a queue named exactly like the routing key, bound with it; both declared by us, the
publisher, and not durable unless `amqp_durable_queues` is set (oslo.messaging 18, observed).

Notifications wait in memory while the broker is away and are sent again with their old timestamps,
as Keystone was seen to do; what was on its way without a confirm is sent a second time. Some
services give up: Neutron was seen to lose what it could not send within 12 s, Glance within 6 s.

One difference remains: aiormq gives every message a random AMQP message id, oslo.messaging none.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Literal

import aio_pika
import aiormq
import orjson
import structlog
from aio_pika.abc import AbstractChannel, AbstractExchange
from yarl import URL

from services.simulator.notification import Json
from shared.amqp.connecting import Connection, connect
from shared.amqp.failures import FAILURES
from shared.backoff import Backoff

Envelope = Literal["messagingv2", "messaging"]
_TROUBLE = (*FAILURES, aio_pika.exceptions.AMQPException)
_MOST_UNSENT = 10_000
_MOST_UNCONFIRMED = 1_000
_CONNECT_SECONDS = 10
_DRAIN_SECONDS = 10
_RECONNECT = Backoff(first_seconds=0.2, longest_seconds=2)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    exchange: str
    routing_key: str
    body: bytes
    at: float
    """When it was handed to us, by the clock of the event loop."""


def gives_up(at: float, *, away_since: float, now: float, after: float | None) -> bool:
    """Tell whether a service has given up what it wanted to send at `at`; seconds, one clock.

    Only the time counts in which the broker was away. `after` None never gives up.
    """
    return after is not None and now - max(at, away_since) > after


class AMQPNotifier:
    """Publishes to a broker; `counts` says how many were confirmed, refused, and given up."""

    def __init__(
        self,
        url: str,
        random: Random,
        *,
        envelope: Envelope,
        durable: bool,
        gives_up_after: Mapping[str, float],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._url = url.replace("rabbit://", "amqp://", 1)
        self._random = random
        self._envelope = envelope
        self._durable = durable
        self._gives_up_after = gives_up_after
        self._away_since = 0.0
        self._unsent: deque[_Outgoing] = deque()
        self._unconfirmed: dict[int, _Outgoing] = {}
        self._sequence = 0
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        random: Random,
        *,
        envelope: Envelope = "messagingv2",
        durable: bool = False,
        gives_up_after: Mapping[str, float] | None = None,
    ) -> AsyncIterator["AMQPNotifier"]:
        """Publish in the background; on leaving, wait some seconds for what is unsent.

        `gives_up_after` has, by exchange, for how many seconds a service tries to reach a broker
        that is away; one that is not named tries for ever.
        """
        notifier = cls(
            url,
            random,
            envelope=envelope,
            durable=durable,
            gives_up_after=gives_up_after or {},
        )
        async with asyncio.TaskGroup() as tasks:
            worker = tasks.create_task(notifier._run(), name="amqp-notifier")
            try:
                yield notifier
                await notifier.drain()
            finally:
                worker.cancel()

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Queue a notification; waits while too many are unsent, as the blocking driver does."""
        key = f"{topic}.{message['priority'].lower()}"
        now = asyncio.get_running_loop().time()
        outgoing = _Outgoing(exchange, key, encode(message, self._envelope), now)
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._unsent) < _MOST_UNSENT)
            self._unsent.append(outgoing)
            self._changed.notify_all()

    async def drain(self) -> None:
        """Wait until everything is confirmed, but not for ever: the broker may be gone."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS), self._changed:
                await self._changed.wait_for(lambda: not (self._unsent or self._unconfirmed))
        except TimeoutError:
            left = len(self._unsent) + len(self._unconfirmed)
            _log.warning("notifications lost", reason="the broker does not take them", count=left)

    async def _run(self) -> None:
        attempt = 0
        loop = asyncio.get_running_loop()
        self._away_since = loop.time()
        while True:
            confirmed = self.counts["confirmed"]
            try:
                connection = Connection(URL(self._url))
                await connect(connection, seconds=_CONNECT_SECONDS)
                async with connection:
                    await self._publish_all(await connection.channel())
            except* aiormq.exceptions.ChannelPreconditionFailed as group:
                _log.warning("notification lost", reason=str(group.exceptions[0]))
                attempt = 0
            except* _TROUBLE as group:
                attempt = 1 if self.counts["confirmed"] > confirmed else attempt + 1
                if attempt == 1:
                    self._away_since = loop.time()
                _log.info("broker lost", reason=str(group.exceptions[0]), attempt=attempt)
            if attempt:
                await asyncio.sleep(_RECONNECT.delay_seconds(attempt, self._random))

    async def _publish_all(self, channel: AbstractChannel) -> None:
        """Publish until the connection breaks; everything declared is declared anew."""
        exchanges: dict[tuple[str, str], AbstractExchange] = {}
        self._unsent.extendleft(reversed(self._unconfirmed.values()))
        self._unconfirmed.clear()
        self._forget_what_was_given_up()
        async with asyncio.TaskGroup() as tasks:
            while True:
                outgoing = await self._next()
                place = outgoing.exchange, outgoing.routing_key
                self._sequence += 1
                self._unconfirmed[self._sequence] = outgoing
                if place not in exchanges:
                    exchanges[place] = await self._declare(channel, *place)
                tasks.create_task(self._publish(exchanges[place], self._sequence))

    def _forget_what_was_given_up(self) -> None:
        now = asyncio.get_running_loop().time()
        kept = [
            outgoing
            for outgoing in self._unsent
            if not gives_up(
                outgoing.at,
                away_since=self._away_since,
                now=now,
                after=self._gives_up_after.get(outgoing.exchange),
            )
        ]
        if lost := len(self._unsent) - len(kept):
            self.counts["given_up"] += lost
            self._unsent = deque(kept)
            _log.warning("notifications lost", reason="the broker was away too long", count=lost)

    async def _next(self) -> _Outgoing:
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._unsent and len(self._unconfirmed) < _MOST_UNCONFIRMED
            )
            outgoing = self._unsent.popleft()
            self._changed.notify_all()
            return outgoing

    async def _declare(
        self, channel: AbstractChannel, exchange: str, routing_key: str
    ) -> AbstractExchange:
        try:
            declared = await channel.declare_exchange(exchange, "topic", durable=self._durable)
            queue = await channel.declare_queue(routing_key, durable=self._durable)
            await queue.bind(declared, routing_key)
        except aiormq.exceptions.ChannelPreconditionFailed:
            # Somebody declared it with other arguments: a real publisher loses its message, too.
            del self._unconfirmed[self._sequence]
            self.counts["refused"] += 1
            raise
        return declared

    async def _publish(self, exchange: AbstractExchange, sequence: int) -> None:
        outgoing = self._unconfirmed[sequence]
        message = aio_pika.Message(
            outgoing.body,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            priority=0,
        )
        await exchange.publish(message, outgoing.routing_key, mandatory=False)
        async with self._changed:
            del self._unconfirmed[sequence]
            self.counts["confirmed"] += 1
            self._changed.notify_all()


def encode(message: Json, envelope: Envelope) -> bytes:
    """Return the body: the message as a JSON string in an envelope (v2), or bare (v1)."""
    inner = orjson.dumps(message)
    if envelope == "messaging":
        return inner
    return orjson.dumps({"oslo.version": "2.0", "oslo.message": inner.decode()})
