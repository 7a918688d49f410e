"""The source on OpenStack's broker: a guest with the least permissions, and its troubles."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

import aio_pika
import pytest
from structlog.testing import capture_logs
from yarl import URL

from services.catcher.decoding.notification import Notification
from services.catcher.sources.amqp import AMQPSource, open_amqp_source
from services.catcher.sources.amqp_queue import Subscription
from shared.amqp.address import Address
from tests.support.ports import free_port
from tests.support.proxy import proxy_to
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

    assert source.bindings.unbound == {}


async def test_an_exchange_that_may_not_be_read_is_named(rabbit_vhost: RabbitVhost) -> None:
    await declare(rabbit_vhost, "nova", "neutron")
    rabbit_vhost.permit(configure=OWN, write=OWN, read=r"^(osevents\..*|nova)$")

    async with opened(rabbit_vhost, subscription("nova", "neutron", "glance"), []) as source:
        assert "not permitted" in source.bindings.unbound["neutron"]
        assert "no such exchange" in source.bindings.unbound["glance"]
        assert source.trouble is None


async def test_services_that_a_cloud_lacks_are_one_line_of_the_log(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")

    with capture_logs() as logs:
        async with opened(rabbit_vhost, subscription("nova", "trove", "sahara"), []):
            pass

    [line] = [line for line in logs if line["event"] == "exchanges_not_bound"]
    assert (line["exchanges"], line["reason"]) == (
        "trove, sahara",
        "there is no such exchange (yet)",
    )


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

    seen = 0
    async with opened(rabbit_vhost, small, gaps) as source:
        while seen < 5:
            seen += len((await source.receive(most=10, wait=timedelta(milliseconds=200))).items)

    assert any("is full" in reason for reason in gaps)
    assert seen == 5


async def test_a_queue_with_other_arguments_is_read_as_it_is_and_told(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    async with opened(rabbit_vhost, subscription("nova"), []):
        pass
    gaps: list[str] = []

    async with opened(rabbit_vhost, subscription("nova", queue_length=77), gaps) as source:
        await send(rabbit_vhost, "nova", 3)
        handover = await source.receive(most=3, wait=timedelta(seconds=60))

    assert len(handover.items) == 3
    assert gaps == []
    assert source.other_arguments is not None
    assert "inequivalent arg 'x-max-length'" in source.other_arguments


async def test_a_deleted_queue_is_told_once_made_again_and_read(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []

    async with opened(rabbit_vhost, subscription("nova"), gaps) as source:
        await asyncio.to_thread(rabbit_vhost.delete_queue, QUEUE)

        async def back() -> bool:
            return QUEUE in await asyncio.to_thread(rabbit_vhost.queues) and not source.trouble

        await eventually(back, what="the queue is back")
        await send(rabbit_vhost, "nova", 3)
        handover = await source.receive(most=3, wait=timedelta(seconds=60))

    assert len(handover.items) == 3
    assert ["did not exist" in reason for reason in gaps] == [True, True]


async def test_a_queue_that_fills_while_we_are_connected_is_a_gap(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []
    small = replace(subscription("nova", queue_length=5), prefetch=1)

    async with opened(rabbit_vhost, small, gaps) as source:
        await send(rabbit_vhost, "nova", 9)

        def told(words: str) -> Callable[[], Awaitable[bool]]:
            async def is_told() -> bool:
                return any(words in reason for reason in gaps)

            return is_told

        await eventually(told("is full (5 messages)"), what="the overflow is told")
        for _ in range(6):
            await source.done(await source.receive(most=1, wait=timedelta(0)))
        await eventually(told("was full until now"), what="its end is told")

    assert len(gaps) == 3, "the new queue, the overflow, its end: no gap for each look"


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
async def test_every_bound_can_be_set_on_both_types_of_queues(
    rabbit_vhost: RabbitVhost, queue_type: Literal["classic", "quorum"]
) -> None:
    await declare(rabbit_vhost, "nova")
    bounded = replace(
        subscription("nova"),
        queue_type=queue_type,
        queue_bytes=10_000_000,
        queue_ttl=timedelta(hours=1),
    )

    async with opened(rabbit_vhost, bounded, []) as source:
        await send(rabbit_vhost, "nova", 1)
        handover = await source.receive(most=1, wait=timedelta(0))

    assert len(handover.items) == 1
    assert source.other_arguments is None


async def test_ceilometers_events_are_read_from_where_its_notifier_sends_them(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "ceilometer")
    wanted = replace(subscription(), bindings=(("ceilometer", "event.sample"),))
    events: list[dict[str, Any]] = [
        {"message_id": id_, "event_type": "a.b", "generated": "2026-01-15T10:00:00", "traits": []}
        for id_ in ("one", "two")
    ]
    body = {"message_id": "m", "event_type": "event", "priority": "SAMPLE", "payload": events}
    envelope = {"oslo.version": "2.0", "oslo.message": json.dumps(body)}

    async with opened(rabbit_vhost, wanted, []) as source:
        connection = await aio_pika.connect(rabbit_vhost.url)
        async with connection, connection.channel() as channel:
            exchange = await channel.get_exchange("ceilometer")
            message = aio_pika.Message(json.dumps(envelope).encode())
            await exchange.publish(message, "event.sample")
        handover = await source.receive(most=1, wait=timedelta(0))

    assert [item.message_id for item in handover.items if isinstance(item, Notification)] == [
        "one",
        "two",
    ]


async def test_the_first_host_is_returned_to_without_loss_or_gap(
    rabbit_vhost: RabbitVhost,
) -> None:
    await declare(rabbit_vhost, "nova")
    gaps: list[str] = []
    node, preferred = rabbit_vhost.node, free_port()
    second = URL(rabbit_vhost.url)
    address = Address((second.with_port(preferred), second))
    wanted = replace(subscription("nova"), fail_back=timedelta(milliseconds=200))

    async def on_gap(reason: str) -> None:
        gaps.append(reason)

    async with open_amqp_source(address, wanted, on_gap=on_gap, random=Random(1)) as source:
        seen: set[str] = set()

        async def take(count: int) -> None:
            async with asyncio.timeout(60):
                while len(seen) < count:
                    handover = await source.receive(most=10, wait=timedelta(0))
                    seen.update(i.message_id for i in handover.items if isinstance(i, Notification))
                    await source.done(handover)

        async def connected() -> bool:
            return source.trouble is None

        await eventually(connected, what="the second host serves us")
        assert source.host == f"127.0.0.1:{node.port}"
        await send(rabbit_vhost, "nova", 5)
        await take(5)
        async with proxy_to(node.port, listen_on=preferred):

            async def back() -> bool:
                return source.host == f"127.0.0.1:{preferred}"

            await eventually(back, what="the first host serves us again")
            await send(rabbit_vhost, "nova", 9)
            await take(9)

    assert ["did not exist" in reason for reason in gaps] == [True], "no gap but the new queue"
