"""Reads one source of one cloud for as long as it is wanted, whatever happens to it.

An AMQP source is read by every copy of the catcher (they share its queue); a polled one by one copy
at a time, which holds a PostgreSQL advisory lock.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID

import structlog

from services.catcher.filters import TypeFilter
from services.catcher.gap import gap_event
from services.catcher.listening import Listener
from services.catcher.metrics import CatcherMetrics
from services.catcher.plans import Means, Plan
from services.catcher.pump import Pump
from services.catcher.sources.port import OnGap, Source
from shared.backoff import Backoff
from shared.bus.port import Publisher
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.errors import OseventsError
from shared.event import Event, Occasion
from shared.retrying import until_it_works
from shared.store.database import Database
from shared.store.locks import try_lock
from shared.waiting import pause

BACKOFF = Backoff()
TAKE_OVER_INTERVAL = timedelta(seconds=2)
"""How soon another copy reads a polled source when the one that did is gone."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all readers of one copy of the catcher share."""

    bus: Publisher
    database: Database
    catalogue: Catalogue
    clock: Clock
    random: Random
    metrics: CatcherMetrics

    def new_id(self) -> str:
        """Return a new id for an event of our own."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    async def publish(self, events: Sequence[Event]) -> None:
        """Publish events of our own, however long the bus makes us wait."""
        await until_it_works(
            lambda: self.bus.publish(events),
            backoff=BACKOFF,
            random=self.random,
            on_failure=lambda error, attempt: log.warning(
                "report_waits", type=events[0].type, reason=str(error), attempt=attempt
            ),
        )


class PlanReader:
    """Keeps one plan running; `trouble` says why nothing can arrive."""

    def __init__(
        self, plan: Plan, *, way: str, wanted: TypeFilter, desk: Desk, listener: Listener
    ) -> None:
        self.name = ""
        """Of the source; empty before it was opened for the first time."""
        self.standby = False
        """Whether another copy of the catcher reads the source."""
        self.ended = False
        """Whether the source came to its end; most have none."""
        self._plan = plan
        self._way = way
        self._wanted = wanted
        self._desk = desk
        self._listener = listener
        self._source: Source | None = None
        self._failure = "not opened yet"

    @property
    def trouble(self) -> str | None:
        """Why nothing can arrive at present; None while it can, or while another copy reads."""
        if self._source is not None:
            return self._source.trouble
        return None if self.standby else self._failure

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set, or the source ends; when it breaks, begin anew with backoff."""
        attempt = 0
        while not (stop.is_set() or self.ended):
            try:
                if self._plan.alone:
                    await self._read_when_it_is_our_turn(stop)
                else:
                    await self._read(stop)
            except OseventsError as error:
                attempt += 1
                self._failure = str(error)
                log.warning(
                    "source_failed", cloud=self._plan.cloud, reason=str(error), attempt=attempt
                )
                delay_seconds = BACKOFF.delay_seconds(attempt, self._desk.random)
                await pause(timedelta(seconds=delay_seconds), stop)

    async def _read_when_it_is_our_turn(self, stop: asyncio.Event) -> None:
        async with try_lock(self._desk.database, f"poll {self._plan.cloud}") as ours:
            self.standby = not ours
            if ours:
                await self._read(stop)
        if not self.ended:
            await pause(TAKE_OVER_INTERVAL, stop)

    async def _read(self, stop: asyncio.Event) -> None:
        desk, cloud = self._desk, self._plan.cloud
        async with self._plan.open(self._means()) as sources:
            first = sources[0]
            self._source, self.name = first, first.name
            try:
                async with asyncio.TaskGroup() as group:
                    for source in sources:
                        group.create_task(self._pump(source).run(stop), name=f"pump {source.name}")
                self.ended = not stop.is_set()
            except* OseventsError as failures:
                raise _first_of(failures) from failures
            finally:
                self._source = None
                self._failure = "closed"
                desk.metrics.sources.up.labels(cloud, first.name).set(0)

    def _means(self) -> Means:
        desk = self._desk
        return Means(
            database=desk.database,
            clock=desk.clock,
            random=desk.random,
            backoff=BACKOFF,
            metrics=desk.metrics,
            on_gap=self._on_gap,
            backlog=desk.bus.backlog,
            heard_elsewhere=self._listener.heard_elsewhere(self._way),
        )

    def _pump(self, source: Source) -> Pump:
        desk = self._desk
        pump = Pump(
            cloud=self._plan.cloud,
            source=source,
            bus=desk.bus,
            catalogue=desk.catalogue,
            clock=desk.clock,
            random=desk.random,
            metrics=desk.metrics,
            backoff=BACKOFF,
            filter=self._wanted,
        )
        # History says nothing of the cloud's rhythm.
        is_news = source.occasion is Occasion.NEWS
        return replace(pump, heard=partial(self._listener.heard, self._way)) if is_news else pump

    def _on_gap(self, cloud: str, source: str) -> OnGap:
        async def report(reason: str) -> None:
            log.warning("source_gap", cloud=cloud, source=source, reason=reason)
            now = self._desk.clock.now()
            event = gap_event(
                id_=self._desk.new_id(), cloud=cloud, source=source, reason=reason, now=now
            )
            await self._desk.publish([event])
            self._desk.metrics.sources.gaps.labels(cloud, source).inc()
            self._listener.missed(now)

        return report


def _first_of(failures: BaseExceptionGroup[OseventsError]) -> OseventsError:
    """Return the first failure of a group, however deep it is in there."""
    failure = failures.exceptions[0]
    return _first_of(failure) if isinstance(failure, BaseExceptionGroup) else failure
