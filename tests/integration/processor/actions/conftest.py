"""A worker on a real database, with a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from services.processor.actions.kinds import BUILTIN
from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import ActionKind, Tools
from services.processor.actions.worker import ActionWorker, Effort
from shared.firing import Firing
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters, KeptLetter
from shared.store.outbox import put
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow
from tests.support.clocks import FixedClock
from tests.support.waiting import eventually

QUICK = Effort(idle=timedelta(milliseconds=10), drain=timedelta(milliseconds=100))


@dataclass(frozen=True, slots=True)
class Bench:
    """What a test does to the outbox, and what it sees."""

    database: Database
    clock: FixedClock
    registry: CollectorRegistry

    def worker(
        self,
        name: str = "copy",
        *,
        effort: Effort = QUICK,
        kinds: Mapping[str, ActionKind] = BUILTIN,
        bus_url: str | None = None,
    ) -> ActionWorker:
        """Make one copy's worker."""
        return ActionWorker(
            worker=name,
            kinds=kinds,
            tools=Tools(database=self.database, clock=self.clock, bus_url=bus_url),
            clock=self.clock,
            random=Random(1),
            metrics=ActionMetrics(CollectorRegistry()),
            effort=effort,
        )

    @asynccontextmanager
    async def working(self, *workers: ActionWorker) -> AsyncIterator[None]:
        """Run workers until the block is left; one by default."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for worker in workers or (self.worker(),):
                group.create_task(worker.run(stop))
            try:
                yield
            finally:
                stop.set()

    async def put(self, *firings: Firing) -> None:
        """Store firings."""
        async with self.database.transaction() as connection:
            await put(connection, firings, now=self.clock.now())

    async def states(self) -> dict[str, int]:
        """Return how many actions are in each state."""
        rows = await self.database.fetch("select state, count(*) from actions group by state")
        return {row["state"]: row["count"] for row in rows}

    async def at_rest(self) -> None:
        """Return when nothing is due at this moment and nobody is at anything."""

        async def resting() -> bool:
            busy = await self.database.fetch_value(
                "select count(*) from actions"
                " where state = 'waiting' and (claim is not null or due_at <= $1)",
                self.clock.now(),
            )
            return int(busy) == 0

        await eventually(resting, what="nothing is due")

    async def let_time_pass(self, *, in_steps_of: timedelta = timedelta()) -> None:
        """Move the clock to each next try, at least so far, until nothing waits any more."""
        while True:
            await self.at_rest()
            due_at = await self.database.fetch_value(
                "select min(due_at) from actions where state = 'waiting'"
            )
            if due_at is None:
                return
            self.clock.advance(max(in_steps_of, due_at - self.clock.now()))

    async def letters(self) -> list[KeptLetter]:
        """Return the dead letters."""
        return await DeadLetters(self.database).find(most=10_000)

    async def told(self, pattern: str = "osevents.*") -> list[TimelineRow]:
        """Return what the timeline says of actions, oldest first."""
        rows = await Timeline(self.database).find(TimelineFilter(types=(pattern,)), most=10_000)
        return rows[::-1]


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database, FixedClock(), CollectorRegistry())
