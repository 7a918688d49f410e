"""The catcher at work: a pump for each source of each cloud.

An AMQP source is read by every copy of the catcher (they share its queue); a polled source by one
copy at a time, which holds a PostgreSQL advisory lock. Each source runs on its own: one that is
broken tries again with backoff and never harms another.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID

import structlog

from services.catcher.filters import PASS_ALL, TypeFilter
from services.catcher.gap import gap_event
from services.catcher.metrics import CatcherMetrics
from services.catcher.plans import Means, Plan
from services.catcher.pump import Pump
from services.catcher.sources.port import OnGap, Source
from shared.backoff import Backoff
from shared.bus.port import Publisher
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.errors import OseventsError
from shared.retrying import until_it_works
from shared.store.database import Database
from shared.store.locks import try_lock
from shared.waiting import pause

BACKOFF = Backoff()
TAKE_OVER_INTERVAL = timedelta(seconds=2)
"""How soon another copy reads a polled source when the one that did is gone."""
STATE_INTERVAL = timedelta(seconds=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """Everything one copy of the catcher needs."""

    plans: Sequence[Plan]
    bus: Publisher
    database: Database
    catalogue: Catalogue
    clock: Clock
    random: Random
    metrics: CatcherMetrics
    filters: Mapping[str, TypeFilter] = field(default_factory=dict)
    """By cloud: which types are dropped; a cloud without one has all of them."""
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    """Filled while running: the open sources by cloud and name, for readiness and status."""

    async def run(self, stop: asyncio.Event) -> None:
        """Catch until `stop` is set, then finish what is in hand."""
        async with asyncio.TaskGroup() as group:
            for plan in self.plans:
                group.create_task(self._keep_running(plan, stop), name=f"catch {plan.cloud}")
            group.create_task(self._show_state(stop), name="source states")

    async def _keep_running(self, plan: Plan, stop: asyncio.Event) -> None:
        """Run one source; when it breaks, begin anew with backoff."""
        attempt = 0
        while not stop.is_set():
            try:
                if plan.alone:
                    await self._read_when_it_is_our_turn(plan, stop)
                else:
                    await self._read(plan, stop)
            except OseventsError as error:
                attempt += 1
                log.warning("source_failed", cloud=plan.cloud, reason=str(error), attempt=attempt)
                delay_seconds = BACKOFF.delay_seconds(attempt, self.random)
                await pause(timedelta(seconds=delay_seconds), stop)

    async def _read(self, plan: Plan, stop: asyncio.Event) -> None:
        means = Means(
            database=self.database,
            clock=self.clock,
            random=self.random,
            backoff=BACKOFF,
            on_gap=self._on_gap,
        )
        async with plan.open(means) as source:
            await self._pump(plan.cloud, source, stop)

    async def _read_when_it_is_our_turn(self, plan: Plan, stop: asyncio.Event) -> None:
        async with try_lock(self.database, f"poll {plan.cloud}") as ours:
            if ours:
                await self._read(plan, stop)
        await pause(TAKE_OVER_INTERVAL, stop)

    async def _pump(self, cloud: str, source: Source, stop: asyncio.Event) -> None:
        key = (cloud, source.name)
        self.sources[key] = source
        try:
            pump = Pump(
                cloud=cloud,
                source=source,
                bus=self.bus,
                catalogue=self.catalogue,
                clock=self.clock,
                random=self.random,
                metrics=self.metrics,
                backoff=BACKOFF,
                filter=self.filters.get(cloud, PASS_ALL),
            )
            await pump.run(stop)
        finally:
            del self.sources[key]
            self.metrics.source_up.labels(*key).set(0)

    def _on_gap(self, cloud: str, source: str) -> OnGap:
        async def report(reason: str) -> None:
            log.warning("source_gap", cloud=cloud, source=source, reason=reason)
            id_ = str(UUID(int=self.random.getrandbits(128), version=4))
            event = gap_event(
                id_=id_, cloud=cloud, source=source, reason=reason, now=self.clock.now()
            )
            await until_it_works(
                lambda: self.bus.publish([event]),
                backoff=BACKOFF,
                random=self.random,
                on_failure=lambda error, attempt: log.warning(
                    "gap_report_waits", cloud=cloud, reason=str(error), attempt=attempt
                ),
            )
            self.metrics.gaps.labels(cloud, source).inc()

        return report

    async def _show_state(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for (cloud, name), source in self.sources.items():
                up = source.trouble is None
                self.metrics.source_up.labels(cloud, name).set(1 if up else 0)
            await pause(STATE_INTERVAL, stop)
