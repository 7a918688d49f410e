"""The processor on a real PostgreSQL and the in-process bus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

from prometheus_client import CollectorRegistry

from services.processor.metrics import ProcessorMetrics, RetentionMetrics
from services.processor.retention import NO_LIMITS, Retention, TimelineLimits
from services.processor.service import Processor
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.partitions import Partitions
from shared.store.timeline import Timeline, TimelineFilter
from tests.support.clocks import FixedClock
from tests.support.events import NOON, event, numbered, server


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[MemoryBus]:
    """Run a processor as the only consumer of a bus."""
    bus, stop = MemoryBus(groups=("processor",)), asyncio.Event()
    processor = Processor(
        bus=bus,
        database=database,
        retention=timedelta(days=36_500),
        clock=SystemClock(),
        random=Random(1),
        metrics=ProcessorMetrics(CollectorRegistry()),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(processor.run(stop))
        try:
            yield bus
        finally:
            stop.set()


async def test_an_event_delivered_again_is_on_the_timeline_once(database: Database) -> None:
    async with running(database) as bus:
        await bus.publish(numbered(20))
        await bus.publish(numbered(20))

    rows = await Timeline(database).find(TimelineFilter())
    assert [row.id for row in rows] == [f"event-{n}" for n in reversed(range(20))]


async def test_an_event_that_postgresql_refuses_dies_alone(database: Database) -> None:
    poison = event("poison", name="a\x00b")

    async with running(database) as bus:
        await bus.publish([*numbered(5), poison])

    rows = await Timeline(database).find(TimelineFilter())
    assert len(rows) == 5
    (kept,) = await DeadLetters(database).find()
    assert kept.letter.origin == "processor"
    assert b"poison" in kept.letter.body


async def test_dead_letters_of_others_are_kept(database: Database) -> None:
    letter = DeadLetter("catcher", "not JSON", "prod", b"\xff\x00", NOON)

    async with running(database) as bus:
        await bus.dead_letter([letter])

    assert [kept.letter for kept in await DeadLetters(database).find()] == [letter]


async def test_retention_forgets_what_is_older(database: Database) -> None:
    timeline = Timeline(database)
    old = event("old", time=NOON - timedelta(days=60))
    await timeline.append([old, event("young")], recorded_at=NOON)

    await retention(database, NO_LIMITS).apply()

    assert [row.id for row in await timeline.find(TimelineFilter())] == ["young"]


def retention(database: Database, limits: TimelineLimits) -> Retention:
    metrics = RetentionMetrics(CollectorRegistry())
    return Retention(database, timedelta(days=30), FixedClock(), metrics, limits)


async def test_the_history_of_the_inventory_has_a_retention_of_its_own(database: Database) -> None:
    inventory, cause = Inventory(database), Cause(CauseKind.EVENT, "event-1")
    for days in (20, 1):
        seen = Snapshot(server(), None, None, None, {"n": days}, NOON - timedelta(days=days))
        await inventory.write([seen], cause)
    short = replace(retention(database, NO_LIMITS), history=timedelta(days=7))

    await short.apply()

    assert [change.field for change in await inventory.changes(server())] == ["n"]
    assert short.metrics.forgotten_changes._value.get() == 1


async def test_a_category_is_kept_for_less_long_than_the_rest(database: Database) -> None:
    timeline = Timeline(database)
    days = (1, 4, 9, 20)
    chatter = [event(f"port-{n}", category="network", time=NOON - timedelta(days=n)) for n in days]
    power = [event(f"server-{n}", time=NOON - timedelta(days=n)) for n in days]
    await timeline.append([*chatter, *power], recorded_at=NOON)
    limited = retention(database, TimelineLimits({"network": timedelta(days=7)}))

    await limited.apply()

    kept = {row.id for row in await timeline.find(TimelineFilter())}
    assert kept == {"port-1", "port-4", *(one.id for one in power)}
    ids = await database.fetch("select id from event_ids")
    assert {row["id"] for row in ids} == kept
    assert limited.metrics.forgotten_rows.labels("network")._value.get() == 2


async def test_a_timeline_that_is_too_large_loses_its_oldest_weeks(database: Database) -> None:
    timeline = Timeline(database)
    weeks = [event(f"week-{n}", time=NOON - timedelta(weeks=n)) for n in range(4)]
    await timeline.append(weeks, recorded_at=NOON)
    stored = await Partitions(database).weeks()
    limited = retention(database, TimelineLimits(most_bytes=sum(w.bytes for w in stored[2:])))

    await limited.apply()

    assert [row.id for row in await timeline.find(TimelineFilter())] == ["week-0", "week-1"]
    assert await database.fetch_value("select count(*) from event_ids") == 2
    assert limited.metrics.dropped_weeks.labels("size")._value.get() == 2


async def test_the_week_that_is_written_stays_however_large(database: Database) -> None:
    await Timeline(database).append([event("now")], recorded_at=NOON)

    await retention(database, TimelineLimits(most_bytes=1)).apply()

    assert len(await Timeline(database).find(TimelineFilter())) == 1


async def test_the_next_week_is_there_before_it_begins(database: Database) -> None:
    sunday = FixedClock(NOON + timedelta(days=6))
    limited = Retention(
        database, timedelta(days=30), sunday, RetentionMetrics(CollectorRegistry()), NO_LIMITS
    )

    await limited.apply()

    assert [week.name for week in await Partitions(database).weeks()] == ["events_2026w49"]
