"""Synthetic events on their way: to the internal exchange, and to OpenStack's side of a catcher."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random

import aio_pika
import orjson
import pytest

from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from tests.support.command_line import Outcome, end_of, start
from tests.support.rabbitmq import RabbitVhost

pytestmark = pytest.mark.rabbitmq

WAIT = timedelta(seconds=1)
BOOT = "compute.instance.create.end"


def configured(tmp_path: Path, vhost: RabbitVhost) -> str:
    config = tmp_path / "osevents.yaml"
    transport = vhost.url.replace("amqp://", "rabbit://")
    config.write_text(
        f"bus: {{url: '{vhost.url}'}}\n"
        f"clouds: [{{name: prod, amqp: {{transports: ['{transport}']}}}}]\n"
    )
    return str(config)


async def publish(*arguments: str) -> Outcome:
    """Call it in a process of its own, since it listens to signals."""
    return await asyncio.to_thread(end_of, start("publish", *arguments))


async def test_events_on_the_bus_are_marked_synthetic(
    rabbit_vhost: RabbitVhost, tmp_path: Path
) -> None:
    config = configured(tmp_path, rabbit_vhost)
    outcome = await publish(
        BOOT, "--count", "3", "--rate", "1000", "--config", config, "--format", "json"
    )

    assert outcome.rows[0]["sent"] == 3
    async with (
        open_rabbit_bus(
            rabbit_vhost.url, name="test", clock=SystemClock(), random=Random(1)
        ) as bus,
        bus.subscribe("processor") as subscription,
    ):
        batch = await subscription.receive(most=10, wait=WAIT)
    assert [(event.cloud, event.type, event.synthetic) for event in batch.events] == [
        ("prod", BOOT, True)
    ] * 3


async def test_openstacks_side_gets_what_oslo_messaging_would_send(
    rabbit_vhost: RabbitVhost, tmp_path: Path
) -> None:
    connection = await aio_pika.connect(rabbit_vhost.url)
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange("nova", "topic", durable=False)
        queue = await channel.declare_queue("notifications.info")
        await queue.bind(exchange, "notifications.info")

        outcome = await publish(
            BOOT, "--to", "openstack", "--config", configured(tmp_path, rabbit_vhost)
        )

        assert outcome.code == 0, outcome.err
        message = await queue.get(timeout=10)
    envelope = orjson.loads(message.body)
    inner = orjson.loads(envelope["oslo.message"])
    assert envelope["oslo.version"] == "2.0"
    assert (message.content_type, message.delivery_mode) == ("application/json", 2)
    assert (inner["event_type"], inner["priority"]) == (BOOT, "INFO")
    assert inner["_context_osevents_synthetic"] is True


async def test_an_exchange_that_is_not_there_is_an_error_and_is_not_made(
    rabbit_vhost: RabbitVhost, tmp_path: Path
) -> None:
    outcome = await publish(
        BOOT, "--to", "openstack", "--config", configured(tmp_path, rabbit_vhost)
    )

    assert outcome.code == 1
    assert "no exchange 'nova'" in outcome.err
    assert "appear when their service first publishes" in outcome.err
