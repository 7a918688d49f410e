"""All services in this process, on a real broker, a real database and a simulated cloud."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Protocol

import aio_pika
import pytest
from aio_pika.abc import AbstractExchange
from prometheus_client import CollectorRegistry

from services.catcher.cloud import WatchedCloud
from services.catcher.plans import AMQPPlan
from services.catcher.service import Catcher
from services.catcher.sources.amqp import routing_keys
from services.catcher.sources.amqp_queue import Subscription
from services.processor.metrics import ProcessorMetrics
from services.processor.service import Processor
from services.refresher.consume import Windows
from services.refresher.metrics import RefresherMetrics
from services.refresher.service import RefreshedCloud, Refresher
from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.amqp.address import Address
from shared.bus.messages import DEAD
from shared.bus.messages import EXCHANGE as BUS
from shared.bus.rabbitmq import open_rabbit_bus
from shared.catalogue.load import builtin
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.passes import FullPasses, PassState
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow
from tests.support.catching import desk_of
from tests.support.rabbitmq import RabbitVhost
from tests.support.simulated import SERVED
from tests.support.waiting import eventually

CLOUD = "prod"
EXCHANGE = "nova"
KEY = "notifications.info"
CLOCK = SystemClock()
SOON = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a test does to it, and what comes out."""

    simulator: Simulator
    database: Database
    exchange: AbstractExchange
    bus_exchange: AbstractExchange
    """Where events travel between our own services."""
    dead_exchange: AbstractExchange

    async def send(self, body: bytes, headers: Mapping[str, Any] | None = None) -> None:
        """Publish to the exchange of a service, as nobody should."""
        await self.exchange.publish(aio_pika.Message(body, headers=dict(headers or {})), KEY)

    async def send_inside(self, body: bytes, content_type: str) -> None:
        """Publish to the bus, past the catcher."""
        message = aio_pika.Message(body, content_type=content_type)
        await self.bus_exchange.publish(message, f"{CLOUD}.test")

    async def rows(self) -> dict[str, TimelineRow]:
        """Return the timeline by id, without the gaps that a new queue brings."""
        found = await Timeline(self.database).find(TimelineFilter(), most=10_000)
        rows = [row for row in found if row.service != "osevents"]
        assert len({row.id for row in rows}) == len(rows), "every event is there once"
        return {row.id: row for row in rows}

    async def letters(self) -> list[DeadLetter]:
        """Return every dead letter."""
        return [kept.letter for kept in await DeadLetters(self.database).find(most=10_000)]

    async def server_name(self, id_: str) -> str | None:
        """Return what the inventory says that a server is called."""
        row = await Inventory(self.database).get(ResourceRef(CLOUD, "server", id_))
        return row.name if row else None

    async def passes_done(self) -> bool:
        """Tell whether every kind was listed."""
        latest = await FullPasses(self.database).latest()
        done = {one.kind for one in latest if one.state is PassState.DONE}
        return done >= set(SERVED)


class Service(Protocol):
    """What runs until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None: ...


@asynccontextmanager
async def run_pipeline(
    vhost: RabbitVhost, database: Database, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pipeline]:
    """Run everything; a service that ends before the test does fails it."""
    random, stop = Random(1), asyncio.Event()
    connection = await aio_pika.connect(vhost.url)
    async with (
        connection,
        connection.channel() as channel,
        Simulator.open(
            SimulatorSettings(servers=5, rate=0, seed=1), clock=CLOCK, random=random
        ) as simulator,
    ):
        simulator.write_clouds_yaml(directory / "clouds.yaml", CLOUD)
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(directory / "clouds.yaml"))
        exchange = await channel.declare_exchange(EXCHANGE, "topic")
        async with (
            open_rabbit_bus(vhost.url, name="test", clock=CLOCK, random=random) as bus,
            CloudClient.open(load_cloud(CLOUD), clock=CLOCK, random=random) as client,
            asyncio.TaskGroup() as group,
        ):
            services: list[Service] = [
                Catcher(
                    clouds=[WatchedCloud.reading(CLOUD, "amqp", _plan(vhost.url))],
                    desk=desk_of(bus, database),
                    instance="test",
                ),
                Processor(
                    bus=bus,
                    database=database,
                    retention=timedelta(days=36_500),
                    clock=CLOCK,
                    random=random,
                    metrics=ProcessorMetrics(CollectorRegistry()),
                ),
                Refresher(
                    bus=bus,
                    database=database,
                    clouds={
                        CLOUD: RefreshedCloud(
                            open_client=lambda: nullcontext(client),
                            windows=Windows(merge=SOON, batch=SOON),
                        )
                    },
                    catalogue=builtin(),
                    instance="test",
                    clock=CLOCK,
                    random=random,
                    metrics=RefresherMetrics(CollectorRegistry()),
                ),
            ]
            for service in services:
                group.create_task(service.run(stop))
            try:
                await _ready(vhost)
                pipeline = Pipeline(
                    simulator,
                    database,
                    exchange,
                    bus_exchange=await channel.get_exchange(BUS),
                    dead_exchange=await channel.get_exchange(DEAD),
                )
                await eventually(pipeline.passes_done, what="every kind was listed")
                yield pipeline
            finally:
                stop.set()


def _plan(url: str) -> AMQPPlan:
    subscription = Subscription(
        queue=f"osevents.{CLOUD}",
        exchanges=(EXCHANGE,),
        routing_keys=routing_keys(("notifications",), ("info", "error")),
        queue_length=10_000,
        queue_expires=timedelta(days=1),
        rebind_interval=timedelta(milliseconds=200),
        prefetch=200,
    )
    return AMQPPlan(CLOUD, Address.parse(url), subscription)


async def _ready(vhost: RabbitVhost) -> None:
    """Return when everything is bound."""

    async def bound() -> bool:
        ours = await asyncio.to_thread(vhost.bindings, f"osevents.{CLOUD}")
        bus = await asyncio.to_thread(vhost.bindings, "osevents.refresher")
        return (EXCHANGE, KEY) in ours and bool(bus)

    await eventually(bound, what="the queues are bound")
