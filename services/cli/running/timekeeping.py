"""Keeps the clock of a process by that of the database, and says how far its host's is off.

What one copy of a service notes by the clock, others compare with what they note themselves: when a
read began, when an object was buried, until when a lease is held. So all take the time from the one
place that all of them share.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from prometheus_client import CollectorRegistry, Gauge

from shared.clock import Clock
from shared.errors import Transient
from shared.followed_clock import FollowedClock, Sample, Ticks
from shared.store.database import Database
from shared.store.server_time import ask_time, follow
from shared.waiting import beside

ASK_EVERY = timedelta(seconds=10)
LARGE = timedelta(seconds=1)
"""Clocks that are kept by NTP differ by milliseconds."""
OFFSET = "osevents_clock_offset_seconds"
ERROR = "osevents_clock_error_seconds"

log = structlog.get_logger(__name__)


class ClockMetrics:
    """What is known of the clocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.offset = Gauge(
            OFFSET,
            "How far this host's clock is ahead of the database's, by which osevents goes.",
            registry=registry,
        )
        self.error = Gauge(
            ERROR,
            "By how much our reckoning of the database's time is wrong at most.",
            registry=registry,
        )


@dataclass(kw_only=True)
class Timekeeper:
    """The clock of one process; asks the database again and again."""

    ask: Callable[[], Awaitable[Iterable[Sample]]]
    """Asks the database what time it is; may raise Transient."""
    clock: FollowedClock
    host: Clock
    """What the process would go by if it were alone."""
    metrics: ClockMetrics
    _away: bool = False
    _off: bool = False

    async def run(self) -> None:
        """Keep the clock until cancelled."""
        while True:
            self.tell()
            await asyncio.sleep(ASK_EVERY.total_seconds())
            await self.keep()

    async def keep(self) -> None:
        """Go by what the database says; without it the clock goes on by itself."""
        try:
            samples = await self.ask()
        except Transient as error:
            if not self._away:
                log.warning("clock_goes_on_alone", reason=str(error))
            self._away = True
            return
        self._away = False
        moved = sum((self.clock.take(sample) for sample in samples), timedelta())
        if abs(moved) > LARGE:
            log.warning("database_clock_was_set", seconds=moved.total_seconds())

    def tell(self) -> None:
        """Say how the clocks stand: in the metrics, and in the log when it becomes bad or good."""
        ahead, error = self.host.now() - self.clock.now(), self.clock.error_seconds
        self.metrics.offset.set(ahead.total_seconds())
        self.metrics.error.set(error)
        off = is_off(ahead, error)
        if off and not self._off:
            log.warning("host_clock_is_off", ahead_seconds=ahead.total_seconds())
        elif self._off and not off:
            log.info("host_clock_is_right_again", ahead_seconds=ahead.total_seconds())
        self._off = off


def is_off(ahead: timedelta, error_seconds: float) -> bool:
    """Tell whether a host's clock surely differs from the database's by much."""
    return abs(ahead) - timedelta(seconds=error_seconds) > LARGE


@asynccontextmanager
async def database_time(
    database: Database, registry: CollectorRegistry, *, host: Clock, ticks: Ticks
) -> AsyncIterator[FollowedClock]:
    """Give a clock that is kept by the database's until the block ends; raises StoreUnavailable."""
    keeper = Timekeeper(
        ask=partial(ask_time, database, ticks),
        clock=await follow(database, ticks),
        host=host,
        metrics=ClockMetrics(registry),
    )
    async with beside(**{"keeping the time": keeper.run()}):
        yield keeper.clock
