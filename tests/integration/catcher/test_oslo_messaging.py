"""From the real oslo.messaging notifier, over a real RabbitMQ, to rows in a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import aio_pika
import pytest
from prometheus_client import CollectorRegistry

from services.catcher.cloud import WatchedCloud
from services.catcher.plans import AMQPPlan
from services.catcher.service import Catcher
from services.catcher.sources.amqp import routing_keys
from services.catcher.sources.amqp_queue import Subscription
from services.processor.metrics import ProcessorMetrics
from services.processor.service import Processor
from shared.amqp.address import Address
from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from shared.store.database import Database
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow
from tests.support.catching import desk_of
from tests.support.oslo import notify, sending
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

QUEUE = "osevents.prod"


@asynccontextmanager
async def running(vhost: RabbitVhost, database: Database) -> AsyncIterator[None]:
    """Run a catcher and a processor."""
    clock, random, stop = SystemClock(), Random(1), asyncio.Event()
    plan = AMQPPlan(
        "prod",
        Address.parse(vhost.url),
        Subscription(
            queue=QUEUE,
            exchanges=("nova", "neutron", "cinder", "openstack", "absent"),
            routing_keys=routing_keys(
                ("notifications", "versioned_notifications"), ("info", "error")
            ),
            queue_length=10_000,
            queue_expires=timedelta(days=1),
            rebind_interval=timedelta(milliseconds=200),
            prefetch=200,
        ),
    )
    async with open_rabbit_bus(vhost.url, name="test", clock=clock, random=random) as bus:
        catcher = Catcher(
            clouds=[WatchedCloud.reading("prod", "amqp", plan)],
            desk=desk_of(bus, database),
            instance="test",
        )
        processor = Processor(
            bus=bus,
            database=database,
            retention=timedelta(days=180),
            clock=clock,
            random=random,
            metrics=ProcessorMetrics(CollectorRegistry()),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(catcher.run(stop))
            group.create_task(processor.run(stop))
            try:
                yield
            finally:
                stop.set()


async def rows(database: Database) -> list[TimelineRow]:
    return await Timeline(database).find(TimelineFilter(), most=1000)


async def test_every_notification_of_every_service_is_on_the_timeline_once(
    rabbit_vhost: RabbitVhost, database: Database
) -> None:
    network = {"network": {"id": "network-1", "project_id": "project-1"}}
    sends = [
        sending("compute.instance.power_on.end"),
        sending("compute.instance.power_off.end", driver="messaging"),
        sending("network.update.end", exchange="neutron", payload=network),
        sending("volume.create.end", exchange="openstack", payload={"volume_id": "volume-1"}),
        sending("compute.instance.create.error", priority="error"),
        sending("instance.update", topic="versioned_notifications"),
        sending("compute.instance.pause.end", compression="gzip"),
        sending("compute.instance.unpause.end", compression="bzip2"),
    ]
    # The services' exchanges exist before anybody listens, as in a cloud that is already running.
    await notify(rabbit_vhost.url, *(item | {"count": 1} for item in sends))

    async with running(rabbit_vhost, database):

        async def bound() -> bool:
            bindings = await asyncio.to_thread(rabbit_vhost.bindings, QUEUE)
            return {exchange for exchange, _ in bindings} == {"nova", "neutron", "openstack"}

        await eventually(bound, what="the queue is bound to the exchanges there are")
        await notify(rabbit_vhost.url, *sends)

        async def all_there() -> bool:
            return len(await rows(database)) >= 81

        await eventually(all_there, what="eighty notifications and the gap are on the timeline")

    counted = Counter(row.type for row in await rows(database))
    assert counted == Counter({item["event_type"]: 10 for item in sends}) + Counter(
        {"osevents.gap": 1}
    )


async def test_services_queues_and_exchanges_are_left_alone(
    rabbit_vhost: RabbitVhost, database: Database
) -> None:
    await notify(rabbit_vhost.url, sending("compute.instance.update", count=3))

    async with running(rabbit_vhost, database):

        async def ours_is_there() -> bool:
            return QUEUE in await asyncio.to_thread(rabbit_vhost.queues)

        await eventually(ours_is_there, what="our queue is there")

    connection = await aio_pika.connect(rabbit_vhost.url)
    async with connection, connection.channel() as channel:
        ceilometers = await channel.get_queue("notifications.info")
        assert ceilometers.declaration_result.message_count == 3


async def test_an_exchange_that_is_made_anew_is_bound_again(
    rabbit_vhost: RabbitVhost, database: Database
) -> None:
    await notify(rabbit_vhost.url, sending("compute.instance.update", count=1))

    async with running(rabbit_vhost, database):

        async def bound() -> bool:
            bindings = await asyncio.to_thread(rabbit_vhost.bindings, QUEUE)
            return ("nova", "notifications.info") in bindings

        await eventually(bound, what="our queue is bound")
        connection = await aio_pika.connect(rabbit_vhost.url)
        async with connection, connection.channel() as channel:
            await channel.exchange_delete("nova")
        await notify(rabbit_vhost.url, sending("compute.instance.update", count=1))
        await eventually(bound, what="our queue is bound again by the timer")
        await notify(rabbit_vhost.url, sending("compute.instance.power_on.end", count=1))

        async def arrived() -> bool:
            return any(row.type.endswith("power_on.end") for row in await rows(database))

        await eventually(arrived, what="notifications arrive again")
