"""The bus as a command reaches it: RabbitMQ directly, or through the database of `osevents up`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Protocol

import click
import structlog

from services.cli.stored import Place
from shared.bus.port import DirectPublisher
from shared.bus.rabbitmq import GROUPS, open_rabbit_bus
from shared.clock import Clock
from shared.errors import Transient
from shared.event import Event
from shared.runtime.settings import Settings
from shared.store.database import Database
from shared.store.handovers import Handed, Handovers
from shared.waiting import pause

LOOK_EVERY = timedelta(milliseconds=200)
MOST_AT_ONCE = 500

log = structlog.get_logger(__name__)


class Sending(Protocol):
    """What a command needs of a bus."""

    async def publish(self, events: Sequence[Event]) -> None:
        """See `shared.bus.port.Publisher`."""
        ...

    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        """See `shared.bus.port.DirectPublisher`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredForTheBus:
    """Leaves events in the database, for the `osevents up` that runs there or the next one."""

    database: Database
    clock: Clock

    async def publish(self, events: Sequence[Event]) -> None:
        """Leave events for everybody; they are safe when this returns."""
        await Handovers(self.database).put(events, None, now=self.clock.now())

    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        """Leave events for one group of consumers; raises UsageError when there is no such one."""
        if group not in GROUPS:
            raise click.UsageError(
                f"`osevents up` has no group {group!r}; there are {' and '.join(GROUPS)}"
            )
        await Handovers(self.database).put(events, group, now=self.clock.now())


@asynccontextmanager
async def reached_bus(
    settings: Settings, place: Place, *, name: str, clock: Clock, random: Random
) -> AsyncIterator[Sending]:
    """Open the way to the bus: RabbitMQ where `bus.url` says so, else the database of `place`."""
    if settings.bus.url is not None:
        url = settings.bus.url.reveal()
        async with open_rabbit_bus(url, name=name, clock=clock, random=random) as bus:
            yield bus
    else:
        async with place.database() as database:
            yield StoredForTheBus(database, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """In the process that has the bus: takes what commands left for it."""

    database: Database
    bus: DirectPublisher

    async def run(self, stop: asyncio.Event) -> None:
        """Take until `stop` is set; trouble is waited out."""
        while not stop.is_set():
            taken = 0
            try:
                taken = await Handovers(self.database).take(MOST_AT_ONCE, self._give)
            except Transient as error:
                log.warning("handover_waits", reason=str(error))
            if taken < MOST_AT_ONCE:
                await pause(LOOK_EVERY, stop)

    async def _give(self, handed: Handed) -> None:
        if handed.group is None:
            await self.bus.publish(handed.events)
        else:
            await self.bus.publish_to(handed.group, handed.events)
