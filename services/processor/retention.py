"""Forgetting: what is older than the retention goes, whole partitions at a time where it can."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.processor.metrics import RetentionMetrics
from shared.clock import Clock
from shared.errors import Transient
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.outbox import Outbox
from shared.store.partitions import Partitions, Week
from shared.store.passes import FullPasses
from shared.store.status import Heartbeats
from shared.waiting import pause

INTERVAL = timedelta(hours=1)
RETURNED_LETTERS = timedelta(days=1)
"""After this long a letter that was sent back is taken for settled."""
AHEAD = timedelta(days=1)
"""How long before its beginning a week gets its partition."""
SILENT_COPIES = timedelta(days=1)
"""After this long a copy that stopped is no news any more."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TimelineLimits:
    """What of the timeline goes before its time."""

    categories: Mapping[str, timedelta] = field(default_factory=dict)
    """How long the events of a category are kept, where that is less."""
    most_bytes: int | None = None
    """On disk; above it the oldest weeks go. None: age alone counts."""


NO_LIMITS = TimelineLimits()
"""Only age counts, and the same for all."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Applies the retention; doing it in several copies at once is harmless."""

    database: Database
    events: timedelta
    """How long events, full passes and dead letters are kept, and firings."""
    clock: Clock
    metrics: RetentionMetrics
    limits: TimelineLimits
    history: timedelta | None = None
    """How long the inventory's changes and tombstones are kept; None: like the events."""

    async def run(self, stop: asyncio.Event) -> None:
        """Forget now and every hour until `stop` is set."""
        while not stop.is_set():
            try:
                await self.apply()
            except Transient as error:
                log.warning("retention_failed", reason=str(error))
            await pause(INTERVAL, stop)

    async def apply(self) -> None:
        """Forget once."""
        now = self.clock.now()
        before = now - self.events
        await self._shorten_timeline(before, now)
        forgotten = await Inventory(self.database).purge(now - (self.history or self.events))
        self.metrics.forgotten_changes.inc(forgotten)
        await FullPasses(self.database).purge(before)
        await Outbox(self.database).purge(before)
        await DeadLetters(self.database).purge(before, returned_before=now - RETURNED_LETTERS)
        await Heartbeats(self.database).purge(now - SILENT_COPIES)

    async def _shorten_timeline(self, before: datetime, now: datetime) -> None:
        partitions = Partitions(self.database)
        # Making a week waits for whoever reads the timeline; the writer must not have to.
        await partitions.ensure([now + AHEAD], now=now)
        self._dropped(await partitions.purge(before), why="age")
        for category, kept in self.limits.categories.items():
            rows = await partitions.forget_category(category, now - kept)
            if rows:
                self.metrics.forgotten_rows.labels(category).inc(rows)
                log.info("category_forgotten", category=category, rows=rows)
        if self.limits.most_bytes is not None:
            self._dropped(await partitions.shrink(self.limits.most_bytes, now=now), why="size")
        self._measure(await partitions.weeks())

    def _dropped(self, names: Sequence[str], *, why: str) -> None:
        if names:
            self.metrics.dropped_weeks.labels(why).inc(len(names))
            log.info("partitions_dropped", names=names, why=why)

    def _measure(self, weeks: Sequence[Week]) -> None:
        stored_bytes = sum(week.bytes for week in weeks)
        self.metrics.stored_bytes.set(stored_bytes)
        most_bytes = self.limits.most_bytes
        if most_bytes is not None and stored_bytes > most_bytes:
            # The week that is being written is larger than the limit: somebody has to know.
            log.warning("timeline_too_large", stored_bytes=stored_bytes, most_bytes=most_bytes)
