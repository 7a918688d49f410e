"""The source on OpenStack's broker: a guest with the least permissions, and its troubles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import aio_pika
import pytest

from services.catcher.sources.amqp import AMQPSource, Subscription, open_amqp_source
from shared.amqp.address import Address
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

QUEUE = "osevents.prod"
OWN = r"^osevents\."


def subscription(*exchanges: str, queue_length: int = 1000) -> Subscription:
    return Subscription(
        queue=QUEUE,
        exchanges=exchanges,
        routing_keys=("notifications.info", "notifications.error"),
        queue_length=queue_length,
        queue_expires=timedelta(days=1),
        rebind_interval=timedelta(milliseconds=100),
        prefetch=100,
    )


async def declare(vhost: RabbitVhost, *exchanges: str) -> None:
    """Declare exchanges as OpenStack's services do: topic, not durable."""
    url = vhost.node.url(vhost.name)
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        for name in exchanges:
            await channel.declare_exchange(name, "topic", durable=False)


async def send(vhost: RabbitVhost, exchange: str, count: int) -> None:
    connection = await aio_pika.connect(vhost.node.url(vhost.name))
    async with connection, connection.channel() as channel:
        target = await channel.get_exchange(exchange)
        for number in range(count):
            body = f'{{"message_id": "m{number}", "event_type": "a.b", "payload": {{}}}}'
            await target.publish(aio_pika.Message(body.encode()), "notifications.info")


@asynccontextmanager
async def opened(
    vhost: RabbitVhost, wanted: Subscription, gaps: list[str]
) -> AsyncIterator[AMQPSource]:
    async def on_gap(reason: str) -> None:
        gaps.append(reason)

    async with open_amqp_source(
        Address.parse(vhost.url), wanted, on_gap=on_gap, random=Random(1)
    ) as source:

        async def read() -> bool:
            return source.trouble is None or "exchanges" in source.trouble

        await eventually(read, what="the source is connected")
        yield source


async def test_the_least_permissions_of_the_docs_are_enough(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova")
    rabbit_vhost.permit(configure=OWN, write=OWN, read=r"^(osevents\..*|nova)$")
    gaps: list[str] = []

    async with opened(rabbit_vhost, subscription("nova"), gaps) as source:
        await send(rabbit_vhost, "nova", 3)
        seen = 0
        while seen < 3:
            handover = await source.receive(most=10, wait=timedelta(milliseconds=50))
            seen += len(handover.items)
            await source.done(handover)

    assert source.unbound == {}


async def test_an_exchange_that_may_not_be_read_is_named(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova", "neutron")
    rabbit_vhost.permit(configure=OWN, write=OWN, read=r"^(osevents\..*|nova)$")

    async with opened(rabbit_vhost, subscription("nova", "neutron", "glance"), []) as source:
        assert "not permitted" in source.unbound["neutron"]
        assert "no such exchange" in source.unbound["glance"]
        assert source.trouble is None


async def test_a_source_without_any_exchange_says_why_nothing_arrives(
    rabbit_vhost: RabbitVhost,
) -> None:
    async with opened(rabbit_vhost, subscription("nova"), []) as source:
        assert source.trouble is not None
        assert "nova: there is no such exchange (yet)" in source.trouble


async def test_a_new_queue_is_a_gap_and_an_existing_one_is_none(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    first: list[str] = []
    second: list[str] = []

    async with opened(rabbit_vhost, subscription("nova"), first):
        pass
    async with opened(rabbit_vhost, subscription("nova"), second):
        pass

    assert ["did not exist" in reason for reason in first] == [True]
    assert second == []


async def test_a_lost_connection_is_a_gap(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []

    async with opened(rabbit_vhost, subscription("nova"), gaps):
        await asyncio.to_thread(rabbit_vhost.close_connections)

        async def told() -> bool:
            return any("was lost" in reason for reason in gaps)

        await eventually(told, what="the gap is told")


async def test_an_exchange_that_appears_late_is_a_gap(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []

    async with opened(rabbit_vhost, subscription("nova", "neutron"), gaps):
        await declare(rabbit_vhost, "neutron")

        async def told() -> bool:
            return any("bound to neutron only now" in reason for reason in gaps)

        await eventually(told, what="the gap is told")


async def test_a_full_queue_is_a_gap(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []
    small = subscription("nova", queue_length=5)
    async with opened(rabbit_vhost, small, []):
        pass
    await send(rabbit_vhost, "nova", 9)

    async with opened(rabbit_vhost, small, gaps) as source:
        handover = await source.receive(most=10, wait=timedelta(milliseconds=200))

    assert any("is full" in reason for reason in gaps)
    assert len(handover.items) == 5


async def test_other_arguments_of_an_existing_queue_are_a_clear_error(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    async with opened(rabbit_vhost, subscription("nova"), []):
        pass

    async def on_gap(reason: str) -> None:
        pytest.fail(reason)

    changed = subscription("nova", queue_length=77)
    async with open_amqp_source(
        Address.parse(rabbit_vhost.url), changed, on_gap=on_gap, random=Random(1)
    ) as source:

        async def told() -> bool:
            return source.trouble is not None and "PRECONDITION_FAILED" in source.trouble

        await eventually(told, what="the trouble names what the broker refuses")
        assert source.trouble is not None
        assert QUEUE in source.trouble
