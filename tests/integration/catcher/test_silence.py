"""Whatever silences OpenStack's broker, it shows before long, and events come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aio_pika
import pytest
from prometheus_client import CollectorRegistry

from services.catcher.plans import AMQPPlan
from services.catcher.service import Catcher
from services.catcher.sources.amqp_queue import Subscription
from shared.amqp.address import Address
from shared.event import Event
from shared.store.database import Database
from tests.support.catching import Taken, catcher_of
from tests.support.proxy import proxy_to
from tests.support.rabbitmq import RabbitNode, RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

QUEUE = "osevents.prod"
SHOWS_SECONDS = 30
"""Within 10 s where there is time for everybody; by missed heartbeats alone it would take 48."""
HEALED_SECONDS = 90


@dataclass
class Watched:
    """A running catcher: what it caught, what it shows."""

    bus: Taken
    registry: CollectorRegistry
    publishes_to: str
    catcher: Catcher

    def figure(self, name: str) -> float:
        labels = {"cloud": "prod", "source": QUEUE}
        return self.registry.get_sample_value(name, labels) or 0.0

    async def shows(self, name: str, value: float) -> None:
        async def shown() -> bool:
            return self.figure(name) == value

        await eventually(shown, what=f"{name} is {value}", seconds=SHOWS_SECONDS)

    async def hears_again(self) -> None:
        """Notify as a service does, again and again, until one is caught."""
        before = len(self.caught)

        async def heard() -> bool:
            await notify(self.publishes_to)
            return len(self.caught) > before

        await eventually(heard, what="events come again", seconds=HEALED_SECONDS)

    @property
    def caught(self) -> list[Event]:
        return [event for event in self.bus.events if event.type == "a.b"]


async def notify(url: str) -> None:
    """Declare what a service declares, all of it not durable, and send one notification."""
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange("nova", "topic", durable=False)
        body = b'{"message_id": "m", "event_type": "a.b", "payload": {}}'
        await exchange.publish(aio_pika.Message(body), "notifications.info", mandatory=False)


@asynccontextmanager
async def catching(url: str, publishes_to: str, database: Database) -> AsyncIterator[Watched]:
    subscription = Subscription(
        queue=QUEUE,
        exchanges=("nova", "neutron"),
        routing_keys=("notifications.info",),
        queue_length=10_000,
        queue_expires=timedelta(days=1),
        rebind_interval=timedelta(seconds=30),
        prefetch=100,
    )
    bus, registry, stop = Taken(), CollectorRegistry(), asyncio.Event()
    plan = AMQPPlan("prod", Address.parse(url), subscription)
    catcher = catcher_of("amqp", plan, bus, database, registry)
    watched = Watched(bus, registry, publishes_to, catcher)
    await notify(publishes_to)
    async with asyncio.TaskGroup() as group:
        group.create_task(catcher.run(stop))
        try:
            await watched.shows("osevents_source_up", 1)
            await watched.hears_again()
            yield watched
        finally:
            stop.set()


async def test_a_restarted_broker_that_forgot_the_exchanges(
    dedicated_node: RabbitNode, database: Database
) -> None:
    url = dedicated_node.url()
    async with catching(url, url, database) as watched:
        await asyncio.to_thread(dedicated_node.stop)
        await watched.shows("osevents_source_up", 0)
        await asyncio.to_thread(dedicated_node.start)

        async def connected() -> bool:
            trouble = watched.catcher.states["prod"].trouble
            return "none of the exchanges can be bound" in (trouble or "")

        await eventually(
            connected, what="we are back before any service is", seconds=HEALED_SECONDS
        )
        await watched.hears_again()

    reasons = [event.payload["reason"] for event in watched.bus.events if event.type != "a.b"]
    assert any("was lost" in reason for reason in reasons)
    assert any("bound to nova only now" in reason for reason in reasons)


async def test_a_deleted_queue(rabbit_vhost: RabbitVhost, database: Database) -> None:
    async with catching(rabbit_vhost.url, rabbit_vhost.url, database) as watched:
        assert watched.figure("osevents_source_gaps_total") == 1, "the queue was new"
        await asyncio.to_thread(rabbit_vhost.delete_queue, QUEUE)

        await watched.shows("osevents_source_gaps_total", 2)
        await watched.hears_again()

    assert "it was deleted or has expired" in [
        event.payload["reason"].partition(": ")[2].partition(";")[0]
        for event in watched.bus.events
        if event.type == "osevents.gap"
    ]


async def test_a_half_open_socket(rabbit_vhost: RabbitVhost, database: Database) -> None:
    node = rabbit_vhost.node
    async with proxy_to(node.port) as (proxy, port):
        url = rabbit_vhost.url.replace(f":{node.port}/", f":{port}/")
        async with catching(url, rabbit_vhost.url, database) as watched:
            proxy.freeze()

            await watched.shows("osevents_source_up", 0)
            await watched.hears_again()
            await watched.shows("osevents_source_up", 1)
