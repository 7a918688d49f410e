"""Ends waits whose time has come while no event asks: a tick a second, in every processor."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.processor.rules.deciding import elapse
from services.processor.rules.engine import (
    STOPPED,
    TICK,
    Rulebook,
    decision_time,
    fire,
    running_of,
    saved,
    states_of,
)
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.verdicts import Verdict
from shared.clock import Clock
from shared.errors import Transient
from shared.store.database import Database
from shared.store.rules import RuleClock, RuleStates
from shared.waiting import pause

SETTLE = timedelta(seconds=10)
"""After a start, what came meanwhile is read first: the ends of what waits may be among it."""
AT_ONCE = 200
FORGET_EVERY = 60
"""Ticks between two rounds of forgetting."""
STRETCHES_KEPT = timedelta(days=62)
"""Twice the longest window of a rule."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Waits:
    """The clock of the rules, as one processor keeps it running."""

    database: Database
    book: Rulebook
    clock: Clock
    metrics: RuleMetrics
    behind: Callable[[], bool]
    """Whether events may be waiting unread, and with them the ends of waits."""
    _started: datetime | None = field(default=None, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until `stop` is set."""
        self._started = self.clock.now()
        ticks = 0
        while not stop.is_set():
            try:
                await self._beat(ticks)
            except Transient as error:
                log.warning("rules_tick_failed", reason=str(error))
            ticks += 1
            await pause(TICK, stop)

    async def tick(self) -> list[Verdict]:
        """Say that the clock runs, and end what is over; return what that came to."""
        now = self.clock.now()
        await RuleClock(self.database).go_on(now, within=STOPPED)
        told: list[Verdict] = []
        while verdicts := await self._end_some(now):
            told += verdicts
        return told

    async def _beat(self, ticks: int) -> None:
        if not self.book.rules.rules:
            return
        settled = self._started is None or self.clock.now() - self._started >= SETTLE
        if settled and not self.behind():
            await self.tick()
        if ticks % FORGET_EVERY == 0:
            await RuleStates(self.database).forget(self.clock.now())
            await RuleClock(self.database).forget(self.clock.now() - STRETCHES_KEPT)

    async def _end_some(self, now: datetime) -> list[Verdict]:
        """End up to AT_ONCE waits in one transaction; nothing when there are no more."""
        rules = self.book.rules
        verdicts: list[Verdict] = []
        async with self.database.transaction() as connection:
            names = [rule.name for rule in rules.rules if rule.enabled and rule.partner]
            stored = await RuleStates.claim_due(connection, names, now, most=AT_ONCE)
            if not stored:
                return []
            running = running_of(await RuleClock.stretches(connection))
            states = states_of(stored, rules)
            at = decision_time(now, stored)
            for key, state in states.items():
                rule = rules.by_name[key.rule]
                states[key], told = elapse(rule, key.key, state, at, running)
                verdicts += told
            await RuleStates.save(connection, saved(states, rules, at))
            await fire(connection, rules, verdicts, (), now=now)
        self.metrics.decided(verdicts)
        return verdicts
