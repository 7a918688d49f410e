"""One service as a process of its own, on RabbitMQ and PostgreSQL."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import structlog
from prometheus_client import CollectorRegistry

from services.cli.running.composition import (
    Heart,
    Parts,
    Service,
    catcher,
    processor,
    refreshed_clouds,
    refresher,
    watched_clouds,
)
from services.cli.running.endpoints import endpoints
from services.cli.running.plans import check_clouds
from services.cli.running.reloading import watched_configuration
from services.cli.running.simulation import simulated_cloud, simulator_settings
from services.cli.running.timekeeping import database_time
from services.cli.running.webhooks import listener_of
from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import Clock
from shared.followed_clock import Ticks
from shared.runtime.settings import Settings
from shared.store.database import Database
from shared.store.migrations import check

log = structlog.get_logger(__name__)


async def serve(
    name: str,
    settings: Settings,
    stop: asyncio.Event,
    *,
    config: Path | None,
    host: Clock,
    ticks: Ticks,
    random: Random,
) -> None:
    """Run the catcher, the processor or the refresher until `stop` is set.

    `config` is the file that the settings came from, to be read again when it changes. The `host`
    is not gone by, only judged.
    """
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            _parts(name, settings, host=host, ticks=ticks, random=random)
        )
        service: Service
        commands: list[Callable[[Settings], None]] = []
        if name == "refresher":
            check_clouds(settings)
            service = refreshing = refresher(parts)
            commands.append(lambda changed: refreshing.command(refreshed_clouds(parts, changed)))
        elif name == "catcher":
            check_clouds(settings)
            service = catching = catcher(parts)
            commands.append(lambda changed: catching.command(watched_clouds(parts, changed)))
        else:
            service = processor(parts)
        heart = Heart(parts, name)
        await stack.enter_async_context(endpoints(parts, heart))
        log.info("service_started", service=name, instance=parts.instance)
        async with asyncio.TaskGroup() as group:
            group.create_task(heart.run(stop), name="heart")
            group.create_task(service.run(stop), name=name)
            if config is not None and commands:
                reloading = watched_configuration(parts, config, commands)
                group.create_task(reloading.run(stop), name="configuration")
    log.info("service_stopped", service=name)


async def simulate(
    settings: Settings,
    clouds_yaml: Path,
    cloud: str,
    stop: asyncio.Event,
    *,
    clock: Clock,
    random: Random,
) -> None:
    """Run a simulated cloud until `stop` is set."""
    simulated = simulator_settings(settings.simulator)
    async with simulated_cloud(
        simulated, clouds_yaml, cloud, clock=clock, random=random
    ) as simulator:
        log.info("simulator_started", url=simulator.url, clouds_yaml=str(clouds_yaml))
        await stop.wait()


@asynccontextmanager
async def _parts(
    name: str, settings: Settings, *, host: Clock, ticks: Ticks, random: Random
) -> AsyncIterator[Parts]:
    assert settings.database.url is not None, "required when the settings were loaded"
    assert settings.bus.url is not None, "required when the settings were loaded"
    registry = CollectorRegistry()
    async with (
        Database.open(
            settings.database.url.reveal(),
            connections=settings.database.connections,
            application=f"osevents-{name}",
        ) as database,
        database_time(database, registry, host=host, ticks=ticks) as clock,
        open_rabbit_bus(settings.bus.url.reveal(), name=name, clock=clock, random=random) as bus,
    ):
        await check(database)
        yield Parts(
            settings=settings,
            bus=bus,
            database=database,
            registry=registry,
            clock=clock,
            random=random,
            instance=f"{socket.gethostname()}-{os.getpid()}",
            listener=listener_of(settings),
        )
