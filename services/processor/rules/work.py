"""Everything that one processor does about rules, put together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.processor.rules.engine import Decision, Rulebook
from services.processor.rules.index import RuleSet
from services.processor.rules.load import Kinds
from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.waits import Waits
from services.processor.rules.watch import Watcher
from shared.clock import Clock
from shared.event import Event
from shared.store.database import Database

FULL = 500
"""A batch of so many events: more of them may be waiting (`shared.bus.consuming`)."""


@dataclass(slots=True)
class Behind:
    """Whether the processor has to catch up: its latest batch was a full one."""

    full: bool = False

    def now(self) -> bool:
        """Tell it."""
        return self.full


@dataclass(slots=True)
class RuleWork:
    """The rules of one processor at work."""

    book: Rulebook
    metrics: RuleMetrics
    waits: Waits
    watcher: Watcher
    _behind: Behind

    @classmethod
    def of(
        cls,
        rules: RuleSet,
        guard: Guard,
        *,
        sources: Sequence[str],
        kinds: Kinds,
        database: Database,
        clock: Clock,
        metrics: RuleMetrics,
        instance: str,
    ) -> "RuleWork":
        """Put it together; `rules` are those of `sources`, which were read already."""
        book, behind = Rulebook(rules, guard), Behind()
        waits = Waits(database, book, clock, metrics, behind.now)
        watcher = Watcher(sources, kinds, book, metrics, database, clock, instance)
        return cls(book, metrics, waits, watcher, behind)

    def begin(self, events: Sequence[Event], now: datetime) -> Decision | None:
        """Return what decides about a batch of events; None when there are no rules."""
        self._behind.full = len(events) >= FULL
        rules = self.book.rules
        if not rules.rules:
            return None
        return Decision(rules, self.book.guard, now, self.metrics.seconds)

    def committed(self, decision: Decision) -> None:
        """Count what a decision said, now that it is committed."""
        self.metrics.decided(decision.verdicts, decision.looks)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the rules as their files say, and end waits, until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watcher.run(stop), name="rule files")
            group.create_task(self.waits.run(stop), name="waits of rules")
