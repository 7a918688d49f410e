"""`osevents replay` through a real RabbitMQ."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from shared.event import Event, Occasion
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.handovers import Handed, Handovers
from shared.store.migrations import migrate
from shared.store.timeline import Timeline
from tests.support.command_line import Outcome, call
from tests.support.events import event, ids

pytestmark = pytest.mark.rabbitmq

Call = Callable[..., Awaitable[Outcome]]
SOON = timedelta(milliseconds=50)


@pytest.fixture
def ask(
    database_url: str, rabbit_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Call:
    for name in ("DATABASE", "BUS"):
        monkeypatch.delenv(f"OSEVENTS_{name}__URL", raising=False)
    config = tmp_path / "osevents.yaml"
    config.write_text(f"database: {{url: '{database_url}'}}\nbus: {{url: '{rabbit_url}'}}\n")

    async def run(*arguments: str) -> Outcome:
        return await asyncio.to_thread(call, "replay", *arguments, "--config", str(config))

    return run


async def test_a_part_of_the_timeline_comes_to_one_group_again(
    ask: Call, database: Database, rabbit_url: str, now: datetime
) -> None:
    events = [
        event(f"event-{n}", time=now - timedelta(minutes=10 - n), type="a.b" if n % 2 else "c.d")
        for n in range(10)
    ]
    await Timeline(database).append(events, recorded_at=now)
    async with (
        open_rabbit_bus(rabbit_url, name="test", clock=SystemClock(), random=Random(1)) as bus,
        bus.subscribe("processor") as processor,
        bus.subscribe("refresher") as others,
    ):
        waiting = asyncio.ensure_future(others.receive(most=1, wait=SOON))
        # What is subscribed is there: the queues were declared before the first delivery.
        await bus.publish([event("before", time=now)])
        first = await processor.receive(most=1, wait=SOON)
        await processor.acknowledge(first)
        await others.acknowledge(await waiting)

        outcome = await ask("processor", "--type", "a.*", "--since", "1h", "--rate", "1000")
        again: list[Event] = []
        while len(again) < 5:
            batch = await processor.receive(most=5, wait=SOON)
            await processor.acknowledge(batch)
            again += batch.events
        nothing = asyncio.ensure_future(others.receive(most=1, wait=SOON))
        done, _ = await asyncio.wait([nothing], timeout=0.5)
        nothing.cancel()

    assert outcome.code == 0
    assert outcome.out == ""
    assert outcome.err.startswith("done: 5 events sent to processor, up to ")
    assert ids(again) == [f"event-{n}" for n in (1, 3, 5, 7, 9)]
    assert {each.occasion for each in again} == {Occasion.REPLAY}
    assert again[0].payload == events[1].payload
    assert not done, "nobody else gets any of it"


async def test_a_group_that_nobody_has_is_told_in_one_line(
    ask: Call, database: Database, now: datetime
) -> None:
    await Timeline(database).append([event(time=now - timedelta(minutes=1))], recorded_at=now)

    outcome = await ask("nobody", "--type", "compute.*")

    assert (outcome.code, outcome.out) == (1, "")
    stopped, why = outcome.err.splitlines()
    assert stopped == "stopped: 0 events sent to nobody"
    assert why.endswith(
        "is there a queue osevents.nobody? That of a group of your own is yours to declare"
    )


async def test_without_a_bus_it_says_what_it_needs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSEVENTS_DATABASE__URL", database_url)
    monkeypatch.delenv("OSEVENTS_BUS__URL", raising=False)

    outcome = await asyncio.to_thread(call, "replay", "processor")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("osevents: OSEVENTS_BUS__URL: is needed; set it, or bus.url in")


async def test_beside_an_up_the_events_are_left_in_its_database(
    monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    for name in ("DATABASE", "BUS"):
        monkeypatch.delenv(f"OSEVENTS_{name}__URL", raising=False)
    directory = Path(tempfile.mkdtemp(prefix="osevents-"))
    handed: list[Handed] = []

    async def keep(one: Handed) -> None:
        handed.append(one)

    try:
        async with embedded_postgres(directory) as url:
            await migrate(url)
            async with Database.open(url, application="osevents-test") as database:
                past = event(time=now - timedelta(minutes=1))
                await Timeline(database).append([past], recorded_at=now)
                outcome = await asyncio.to_thread(
                    call, "replay", "refresher", "--data", str(directory)
                )
                wrong = await asyncio.to_thread(call, "replay", "mine", "--data", str(directory))
                await Handovers(database).take(10, keep)
    finally:
        shutil.rmtree(directory, ignore_errors=True)

    assert outcome.err.startswith("done: 1 events sent to refresher")
    assert [one.group for one in handed] == ["refresher"]
    assert [each.occasion for one in handed for each in one.events] == [Occasion.REPLAY]
    assert wrong.code == 2
    assert "`osevents up` has no group 'mine'; there are processor and refresher" in wrong.err
