"""Forgetting: what is older than the retention goes, whole partitions at a time where it can."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from shared.clock import Clock
from shared.errors import Transient
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.outbox import Outbox
from shared.store.passes import FullPasses
from shared.store.status import Heartbeats
from shared.store.timeline import Timeline
from shared.waiting import pause

INTERVAL = timedelta(hours=1)
RETURNED_LETTERS = timedelta(days=1)
"""After this long a letter that was sent back is taken for settled."""
SILENT_COPIES = timedelta(days=1)
"""After this long a copy that stopped is no news any more."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """Applies the retention; doing it in several copies at once is harmless."""

    database: Database
    events: timedelta
    """How long events, changes, tombstones, full passes and dead letters are kept, and firings."""
    clock: Clock

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
        dropped = await Timeline(self.database).purge(before)
        if dropped:
            log.info("partitions_dropped", names=dropped)
        await Inventory(self.database).purge(before)
        await FullPasses(self.database).purge(before)
        await Outbox(self.database).purge(before)
        await DeadLetters(self.database).purge(before, returned_before=now - RETURNED_LETTERS)
        await Heartbeats(self.database).purge(now - SILENT_COPIES)
