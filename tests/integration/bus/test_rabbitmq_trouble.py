"""The bus on RabbitMQ heals itself, and loses nothing, whatever happens to its connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import aio_pika
import pytest

from shared.amqp import session
from shared.bus.messages import EXCHANGE
from shared.bus.port import Subscription
from shared.bus.rabbitmq import RabbitBus, open_rabbit_bus, queue_of
from shared.clock import SystemClock
from shared.errors import BusUnavailable
from tests.support.events import ids, numbered
from tests.support.proxy import proxy_to
from tests.support.rabbitmq import RabbitNode, RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq
SOON = timedelta(milliseconds=50)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RabbitBus]:
    async with open_rabbit_bus(url, name="test", clock=SystemClock(), random=Random(1)) as bus:
        yield bus


async def publish_at_last(bus: RabbitBus, first: int, count: int) -> None:
    """Publish as the catcher does: again until it is confirmed."""
    while True:
        try:
            await bus.publish(numbered(count, first=first))
        except BusUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def take(subscription: Subscription, expected: set[str]) -> None:
    """Receive and acknowledge until every expected event has come."""
    missing = set(expected)
    async with asyncio.timeout(60):
        while missing:
            batch = await subscription.receive(most=100, wait=SOON)
            missing -= set(ids(batch.events))
            await subscription.acknowledge(batch)


async def test_a_bus_that_only_publishes_tells_why_nothing_is_taken(
    rabbit_vhost: RabbitVhost,
) -> None:
    rabbit_vhost.permit(configure="", write="", read="")
    async with opened(rabbit_vhost.url) as bus:
        before = bus.trouble
        with pytest.raises(BusUnavailable):
            await bus.publish(numbered(1))

        assert before is None
        assert bus.trouble is not None

        rabbit_vhost.permit(configure=".*", write=".*", read=".*")
        await publish_at_last(bus, 0, 1)

        assert bus.trouble is None


async def test_connections_closed_by_the_broker_are_made_anew(rabbit_vhost: RabbitVhost) -> None:
    async with opened(rabbit_vhost.url) as bus, bus.subscribe("processor") as processor:
        await bus.publish(numbered(10))
        await take(processor, set(ids(numbered(10))))

        assert await asyncio.to_thread(rabbit_vhost.close_connections) >= 1

        await publish_at_last(bus, 10, 10)
        await take(processor, set(ids(numbered(10, first=10))))


async def test_a_deleted_queue_comes_back_with_its_binding(rabbit_vhost: RabbitVhost) -> None:
    async with opened(rabbit_vhost.url) as bus, bus.subscribe("processor") as processor:
        await bus.publish(numbered(1))
        await take(processor, {"event-0"})

        await asyncio.to_thread(rabbit_vhost.delete_queue, queue_of("processor"))

        async def bound_again() -> bool:
            queue = queue_of("processor")
            there = queue in await asyncio.to_thread(rabbit_vhost.queues)
            return there and bool(await asyncio.to_thread(rabbit_vhost.bindings, queue))

        await eventually(bound_again, what="the queue is back with its binding")
        await publish_at_last(bus, 1, 5)

        await take(processor, set(ids(numbered(5, first=1))))


async def test_a_broker_restart_is_survived(dedicated_node: RabbitNode) -> None:
    async with opened(dedicated_node.url()) as bus:
        await bus.publish(numbered(50))
        async with bus.subscribe("processor") as processor:
            held = await processor.receive(most=10, wait=SOON)

            await dedicated_node.restart()

            await publish_at_last(bus, 50, 50)
            await processor.acknowledge(held)  # too late: its connection is gone
            await take(processor, set(ids(numbered(100))))


async def test_a_half_open_socket_is_noticed(
    rabbit_vhost: RabbitVhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "HEARTBEAT_SECONDS", 1)
    node = rabbit_vhost.node
    async with proxy_to(node.port) as (proxy, port):
        url = rabbit_vhost.url.replace(f":{node.port}/", f":{port}/")
        async with opened(rabbit_vhost.url) as other, opened(url) as bus:
            async with bus.subscribe("processor") as processor:
                await publish_at_last(other, 0, 1)
                await take(processor, {"event-0"})

                proxy.freeze()

                await publish_at_last(other, 1, 5)
                await take(processor, set(ids(numbered(5, first=1))))
            assert proxy.connections_made >= 2


async def test_events_wait_for_a_group_that_never_started(rabbit_url: str) -> None:
    async with opened(rabbit_url) as bus:
        await bus.publish(numbered(5))

    async with opened(rabbit_url) as bus, bus.subscribe("refresher") as refresher:
        await take(refresher, set(ids(numbered(5))))


async def test_a_broker_that_is_not_there_is_named() -> None:
    async with opened("amqp://guest:secret@127.0.0.1:1/") as bus:
        with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:1") as caught:
            await bus.publish(numbered(1))

    assert "secret" not in str(caught.value)


async def test_what_is_no_event_becomes_a_dead_letter(rabbit_url: str) -> None:
    async with opened(rabbit_url) as bus, bus.subscribe("processor") as processor:
        await bus.publish(numbered(1))
        connection = await aio_pika.connect(rabbit_url)
        async with connection, connection.channel() as channel:
            exchange = await channel.get_exchange(EXCHANGE)
            await exchange.publish(aio_pika.Message(b"not an event"), "prod.rubbish")
        await publish_at_last(bus, 1, 1)
        await take(processor, {"event-0", "event-1"})

        async with bus.dead_letters() as dead, asyncio.timeout(60):
            batch = await dead.receive(most=10, wait=SOON)

    assert [letter.body for letter in batch.letters] == [b"not an event"]
    assert "not JSON" in batch.letters[0].reason


async def test_a_message_the_broker_gives_up_on_is_kept_with_its_reason(rabbit_url: str) -> None:
    async with opened(rabbit_url) as bus:
        await bus.publish(numbered(1))
        connection = await aio_pika.connect(rabbit_url)
        async with connection, connection.channel() as channel:
            queue = await channel.get_queue(queue_of("processor"))
            message = await queue.get()
            await message.reject(requeue=False)

        async with bus.dead_letters() as dead, asyncio.timeout(60):
            batch = await dead.receive(most=10, wait=SOON)

    assert "rejected" in batch.letters[0].reason
    assert batch.letters[0].origin == "processor"


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233])
async def test_leaving_at_any_moment_of_connecting_ends_at_once(
    rabbit_url: str, steps: int
) -> None:
    async with asyncio.timeout(60):
        async with opened(rabbit_url) as bus, bus.subscribe("processor"):
            for _ in range(steps):
                await asyncio.sleep(0.001)
