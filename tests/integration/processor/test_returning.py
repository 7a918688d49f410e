"""Dead letters that are sent back, on a real database and the in-process bus."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

import orjson
import pytest
from prometheus_client import CollectorRegistry

from services.cli.running.rereading import rereading
from services.processor.actions.kinds import BUILTIN
from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import Tools
from services.processor.actions.schedule import Patience
from services.processor.actions.worker import ActionWorker, Effort
from services.processor.metrics import ProcessorMetrics
from services.processor.returning import LEASE, Returner
from services.processor.service import Processor
from shared.bus.memory import MemoryBus
from shared.bus.port import DirectPublisher
from shared.catalogue.load import builtin
from shared.clock import SystemClock
from shared.codec import encode
from shared.dead_letter import DeadLetter
from shared.errors import BusUnavailable
from shared.event import Event
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters, KeptLetter
from shared.store.outbox import Outbox, put
from shared.store.targets import TargetQueue
from shared.store.timeline import Timeline, TimelineFilter
from tests.support.events import NOON, event
from tests.support.firings import firing, webhook
from tests.support.receiver import fails, fine, receiving
from tests.support.waiting import eventually
from tests.unit.services.processor.test_way_back import NOTIFICATION

CLOCK = SystemClock()


def returner(database: Database, bus: DirectPublisher) -> Returner:
    return Returner(
        letters=DeadLetters(database),
        outbox=Outbox(database),
        targets=TargetQueue(database),
        bus=bus,
        reread=rereading(builtin()),
        clock=CLOCK,
        metrics=ProcessorMetrics(CollectorRegistry()),
    )


def worker(database: Database) -> ActionWorker:
    patience = Patience(retry_for=timedelta(milliseconds=1))
    return ActionWorker(
        worker="copy",
        kinds=BUILTIN,
        tools=Tools(database=database, clock=CLOCK, bus_url=None),
        clock=CLOCK,
        random=Random(1),
        metrics=ActionMetrics(CollectorRegistry()),
        effort=Effort(idle=timedelta(milliseconds=20), patience=patience),
    )


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[MemoryBus]:
    """Run a processor with all that it does."""
    bus, stop = MemoryBus(), asyncio.Event()
    processor = Processor(
        bus=bus,
        database=database,
        retention=timedelta(days=36_500),
        clock=CLOCK,
        random=Random(1),
        metrics=ProcessorMetrics(CollectorRegistry()),
        beside=(returner(database, bus), worker(database)),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(processor.run(stop))
        try:
            yield bus
        finally:
            stop.set()


async def keep(database: Database, origin: str, body: bytes) -> KeptLetter:
    letters = DeadLetters(database)
    await letters.keep([DeadLetter(origin, "broken", "prod", body, NOON)])
    [kept] = await letters.find()
    return kept


async def retry(database: Database) -> None:
    """Ask for every letter, and return when it went or died again."""
    letters = DeadLetters(database)
    await letters.ask([kept.number for kept in await letters.find()], now=CLOCK.now())

    async def settled() -> bool:
        return not [kept for kept in await letters.find() if kept.asked_for]

    await eventually(settled, what="no letter waits to be sent back")


async def on_the_timeline(database: Database) -> list[str]:
    return [row.id for row in await Timeline(database).find(TimelineFilter())]


async def test_an_event_goes_back_to_the_processor_alone(database: Database) -> None:
    await keep(database, "processor", encode(event("lost")))

    async with running(database) as bus:
        await retry(database)
        assert await bus.backlog() == 0, "it waits for nobody else"

    assert await on_the_timeline(database) == ["lost"]
    assert await DeadLetters(database).find() == []


async def test_an_event_that_dies_again_keeps_its_number_and_its_history(
    database: Database,
) -> None:
    poison = event("poison", name="a\x00b")
    kept = await keep(database, "processor", encode(poison))

    async with running(database):
        await retry(database)

    [again] = await DeadLetters(database).find()
    assert again.number == kept.number
    assert (again.letter.first_at, again.letter.tries) == (NOON, 2)
    assert again.letter.at > NOON
    assert "NUL" in again.letter.reason or "0x00" in again.letter.reason


async def test_a_notification_that_can_be_read_now_is_published(database: Database) -> None:
    await keep(database, "catcher", NOTIFICATION)

    async with (
        running(database) as bus,
        bus.subscribe("refresher") as refresher,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(retry(database))
        batch = await refresher.receive(most=1, wait=timedelta())
        await refresher.acknowledge(batch)

    assert [each.id for each in batch.events] == ["m-1"]
    assert await on_the_timeline(database) == ["m-1"]


async def test_a_notification_that_still_cannot_be_read_stays_and_says_so(
    database: Database,
) -> None:
    await keep(database, "catcher", b"\xff\x00 not JSON")

    async with running(database):
        await retry(database)

    [again] = await DeadLetters(database).find()
    assert again.letter.tries == 2
    assert again.letter.body == b"\xff\x00 not JSON"
    assert again.letter.reason != "broken"


async def test_a_target_is_asked_for_again_at_once(database: Database) -> None:
    target = {"cloud": "prod", "kind": "port", "by": "id", "key": "p", "cause": "e", "why": "w"}
    await keep(database, "refresher", orjson.dumps(target))

    async with running(database):
        await retry(database)

    [waiting] = await TargetQueue(database).waiting()
    assert (waiting.cloud, waiting.kind, waiting.count) == ("prod", "port", 1)
    assert await DeadLetters(database).find() == []


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_dead_action_is_delivered_under_the_same_key(
    database: Database, *, forgotten: bool
) -> None:
    letters = DeadLetters(database)
    async with receiving(fails(99)) as receiver, running(database):
        async with database.transaction() as connection:
            await put(connection, [firing(webhook(receiver.url))], now=CLOCK.now())

        async def died() -> bool:
            return len(await letters.find()) == 1

        await eventually(died, what="the action is dead")
        if forgotten:
            await database.execute("delete from firings")
        tried = len(receiver.got)
        receiver.answer = fine
        await retry(database)

        async def done() -> bool:
            return bool(await database.fetch_value("select state = 'done' from actions"))

        await eventually(done, what="the action is done")

    assert len(receiver.got) == tried + 1
    assert len(set(receiver.keys)) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert await letters.find() == []


class AwayBus(MemoryBus):
    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        raise BusUnavailable(f"{group} of {len(events)}")


async def test_a_letter_waits_for_a_bus_that_is_away_without_dying_again(
    database: Database,
) -> None:
    letters = DeadLetters(database)
    kept = await keep(database, "processor", encode(event()))
    now = CLOCK.now()
    await letters.ask([kept.number], now=now)
    [claimed] = await letters.claim(most=1, now=now, lease=LEASE)

    await returner(database, AwayBus()).send_back(claimed)

    assert await letters.find() == [replace(kept, asked_for=True)]
    assert await letters.claim(most=1, now=now + LEASE, lease=LEASE) == [claimed]
