"""Processors with rules on a real database, and what they fired."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from prometheus_client import CollectorRegistry

from services.processor.rules.engine import Decision, Rulebook, running_of
from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.state import Running
from services.processor.rules.verdicts import Verdict
from services.processor.rules.waits import Waits
from shared.event import Event
from shared.store.database import Database
from shared.store.rules import RuleClock
from shared.store.timeline import Timeline
from tests.support.clocks import FixedClock
from tests.support.events import NOON


@dataclass(slots=True)
class Ruled:
    """One processor's way to the timeline."""

    database: Database
    rules: RuleSet
    guard: Guard = field(default_factory=Guard)
    clock: FixedClock = field(default_factory=FixedClock)
    metrics: RuleMetrics = field(default_factory=lambda: RuleMetrics(CollectorRegistry()))

    async def write(self, events: Sequence[Event], now: datetime = NOON) -> list[Verdict]:
        """Put events on the timeline; return what the rules said of them."""
        decision = Decision(self.rules, self.guard, now, self.metrics.seconds)
        await Timeline(self.database).append(events, recorded_at=now, decide=decision.decide)
        self.metrics.decided(decision.verdicts)
        return decision.verdicts

    async def tick(self, now: datetime) -> list[Verdict]:
        """Let the clock of the rules run, and end what is over."""
        clock = FixedClock(now)
        book = Rulebook(self.rules, self.guard)
        return await Waits(self.database, book, clock, self.metrics, lambda: False).tick()


async def fired(database: Database) -> list[tuple[str, str, str]]:
    """Return rule, key and event of everything in the outbox, sorted."""
    rows = await database.fetch("select rule, key, event_id from firings order by 1, 2, 3")
    return [(row["rule"], row["key"], row["event_id"]) for row in rows]


async def fired_events(database: Database) -> list[dict[str, object]]:
    """Return the events that the firings carry, in the order of their ids."""
    rows = await database.fetch("select event from firings order by event_id")
    return [orjson.loads(row["event"]) for row in rows]


async def running(database: Database) -> Running:
    """Return when the clock of the rules ran."""
    async with database.connection() as connection:
        return running_of(await RuleClock.stretches(connection))
