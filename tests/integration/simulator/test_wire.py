"""Notifications on a real RabbitMQ, as oslo.messaging publishes them."""

import asyncio
from random import Random
from typing import Any

import aio_pika
import orjson
import pytest
from pydantic import SecretStr

from services.simulator.amqp import AMQPNotifier
from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from tests.support.clocks import FixedClock
from tests.support.rabbitmq import RabbitNode, RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq


async def waiting_messages(url: str, queue: str, count: int) -> list[Any]:
    """Take `count` messages from a queue that exists, or will soon."""
    taken: list[Any] = []
    connection = await aio_pika.connect(url)
    async with asyncio.timeout(60), connection:
        channel = await connection.channel()
        found = await channel.get_queue(queue)
        while len(taken) < count:
            message = await found.get(no_ack=True, fail=False)
            if message is not None:
                taken.append(message)
    return taken


async def test_bytes_properties_and_topology_are_those_of_oslo_messaging(
    rabbit_vhost: RabbitVhost, clock: FixedClock
) -> None:
    settings = SimulatorSettings(
        servers=10, rate=0, pace=0, transport_url=SecretStr(rabbit_vhost.url)
    )
    async with Simulator.open(settings, clock=clock, random=Random(1)) as simulator:
        simulator.state.life.begin("boot server")
        simulator.state.wake()

        async def declared() -> bool:
            return rabbit_vhost.queues() == ["notifications.info"]

        await eventually(declared, what="the publisher declared its queue")
        messages = await waiting_messages(rabbit_vhost.url, "notifications.info", 15)
    properties = messages[0].info()
    assert messages[0].exchange == "nova"
    assert messages[0].routing_key == "notifications.info"
    assert messages[0].content_type == "application/json"
    assert messages[0].content_encoding == "utf-8"
    assert messages[0].delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert properties["headers"] == {}
    assert (properties["timestamp"], properties["app_id"]) == (None, None)
    envelope = orjson.loads(messages[0].body)
    assert envelope["oslo.version"] == "2.0"
    assert orjson.loads(envelope["oslo.message"])["event_type"].startswith("scheduler.")
    bound = rabbit_vhost.bindings("notifications.info")
    assert bound == {("nova", "notifications.info"), ("neutron", "notifications.info")}


async def test_the_queue_is_gone_after_a_restart_and_publishing_goes_on(
    rabbit_vhost: RabbitVhost,
) -> None:
    def message(n: int) -> dict[str, Any]:
        return {"priority": "INFO", "n": n}

    async with AMQPNotifier.open(rabbit_vhost.url, Random(1)) as notifier:
        await notifier.send("nova", "notifications", message(1))
        await notifier.drain()
        assert notifier.counts["confirmed"] == 1
        rabbit_vhost.delete_queue("notifications.info")
        assert rabbit_vhost.close_connections() > 0
        for n in range(2, 200):
            await notifier.send("nova", "notifications", message(n))
        await notifier.drain()
        taken = await waiting_messages(rabbit_vhost.url, "notifications.info", 198)
    numbers = [orjson.loads(orjson.loads(each.body)["oslo.message"])["n"] for each in taken]
    assert numbers == list(range(2, 200))


async def test_a_queue_declared_with_other_arguments_loses_the_publisher_its_message(
    rabbit_vhost: RabbitVhost,
) -> None:
    connection = await aio_pika.connect(rabbit_vhost.url)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue("notifications.info", arguments={"x-max-length": 5})
        async with AMQPNotifier.open(rabbit_vhost.url, Random(1)) as notifier:
            await notifier.send("nova", "notifications", {"priority": "INFO"})
            await notifier.send("nova", "notifications", {"priority": "ERROR"})
            await notifier.drain()
    assert notifier.counts == {"refused": 1, "confirmed": 1}


async def test_what_is_sent_while_the_broker_restarts_arrives_unless_the_service_gives_up(
    dedicated_node: RabbitNode,
) -> None:
    gives_up_after = {"glance": 0.5, "neutron": 600.0}
    async with AMQPNotifier.open(
        dedicated_node.url(), Random(1), gives_up_after=gives_up_after
    ) as notifier:
        await notifier.send("nova", "notifications", {"priority": "INFO", "n": 0})
        await notifier.drain()
        await asyncio.to_thread(dedicated_node.stop)
        for n in range(1, 51):
            exchange = ("nova", "neutron", "glance")[n % 3]
            await notifier.send(exchange, "notifications", {"priority": "INFO", "n": n})
        await asyncio.to_thread(dedicated_node.start)
        await notifier.drain()
        taken = await waiting_messages(dedicated_node.url(), "notifications.info", 33)
    numbers = [orjson.loads(orjson.loads(each.body)["oslo.message"])["n"] for each in taken]
    assert numbers == [n for n in range(1, 51) if n % 3 != 2]
    assert notifier.counts["given_up"] == 17
