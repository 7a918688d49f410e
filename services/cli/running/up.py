"""`osevents up`: everything in one process, on an embedded database and an in-process bus."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import click
from prometheus_client import CollectorRegistry

from services.cli.handing import Taking
from services.cli.mending.refresh import ask_full_passes
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
from services.cli.running.ordering import run_in_order
from services.cli.running.plans import check_clouds
from services.cli.running.reloading import watched_configuration
from services.cli.running.screen import Screen, summary
from services.cli.running.simulation import (
    CLOUD,
    CLOUDS_YAML,
    is_used,
    kept_cloud,
    simulator_settings,
    watching,
)
from services.cli.running.timekeeping import database_time
from services.cli.running.webhooks import listener_of
from services.refresher.resources import ALL
from services.refresher.schedule import START
from services.simulator.app import Simulator
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus
from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import Clock
from shared.errors import Misconfigured, Problem
from shared.followed_clock import Ticks
from shared.runtime.settings import Settings
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate

SIMULATED = {"store_raw": True, "events_kept": 20_000}
"""The whole notification in every event, as a broker would have it; not so many that saving them
takes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """One run of `osevents up`."""

    settings: Settings
    data: Path
    simulate: bool
    config: Path | None
    """Where the settings came from, to be read again when it changes."""
    duration: timedelta | None
    """Ends by itself after this long; None: when it is told to."""
    host: Clock
    """Not gone by, only judged; except by the simulated cloud, which is another machine."""
    ticks: Ticks
    random: Random

    async def run(self, stop: asyncio.Event) -> None:
        """Run everything until `stop` is set or the time is over, then print a summary."""
        async with AsyncExitStack() as stack:
            used = is_used(self.data)
            settings, simulator = await stack.enter_async_context(self._watched())
            parts = await stack.enter_async_context(self._parts(settings))
            if used and simulator is not None and not simulator.goes_on:
                # All that was known of the cloud before it is wrong now, and no event will say so.
                now = parts.clock.now()
                await ask_full_passes(parts.database, [CLOUD], ALL, by=START, now=now)
            heart = Heart(parts, "up")
            port = await stack.enter_async_context(endpoints(parts, heart))
            title = f"osevents up   data in {self.data}"
            if port is not None:
                title += f"   metrics at http://{settings.http.host}:{port}/metrics"
            screen = Screen(parts, title, parts.clock.now())
            catching, refreshing = catcher(parts), refresher(parts)
            others: list[Service] = [processor(parts), refreshing, heart, screen]
            if self.config is not None and not self.simulate:
                commands = [
                    lambda changed: catching.command(watched_clouds(parts, changed)),
                    lambda changed: refreshing.command(refreshed_clouds(parts, changed)),
                ]
                others.append(watched_configuration(parts, self.config, commands))
            await run_in_order(
                [catching, Taking(database=parts.database, bus=parts.bus)],
                others,
                stop,
                self.duration,
            )
            click.echo(summary(await screen.view()))

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[tuple[Settings, Simulator | None]]:
        """Give the settings, and a simulated cloud among the clouds when one is wanted."""
        settings = self.settings
        if not self.simulate:
            if not settings.clouds:
                raise Misconfigured(
                    [
                        Problem(
                            "clouds", "none is given; add one, or use --simulate for a first look"
                        )
                    ]
                )
            check_clouds(settings)
            yield settings, None
            return
        simulated = simulator_settings({**SIMULATED, **settings.simulator})
        async with kept_cloud(
            simulated, self.data, clock=self.host, random=self.random
        ) as simulator:
            settings = watching(settings, self.data / CLOUDS_YAML)
            check_clouds(settings)
            yield settings, simulator

    @asynccontextmanager
    async def _parts(self, settings: Settings) -> AsyncIterator[Parts]:
        async with AsyncExitStack() as stack:
            url = (
                settings.database.url.reveal()
                if settings.database.url is not None
                else await stack.enter_async_context(embedded_postgres(self.data))
            )
            await migrate(url)
            database = await stack.enter_async_context(
                Database.open(
                    url, connections=settings.database.connections, application="osevents"
                )
            )
            registry = CollectorRegistry()
            clock = await stack.enter_async_context(
                database_time(database, registry, host=self.host, ticks=self.ticks)
            )
            bus: Bus = MemoryBus()
            if settings.bus.url is not None:
                bus = await stack.enter_async_context(
                    open_rabbit_bus(
                        settings.bus.url.reveal(), name="up", clock=clock, random=self.random
                    )
                )
            yield Parts(
                settings=settings,
                bus=bus,
                database=database,
                registry=registry,
                clock=clock,
                random=self.random,
                instance=f"up-{os.getpid()}",
                listener=listener_of(settings),
            )
