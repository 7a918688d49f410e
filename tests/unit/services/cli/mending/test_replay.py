"""One replay: what is sent, to whom, how fast, and where it goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from services.cli.mending.replay import Replaying
from services.cli.parameters import PositionType, cursor_of
from shared.bus.memory import MemoryBus
from shared.errors import BusUnavailable
from shared.event import Occasion
from shared.pacing import Pace
from shared.store.timeline_rows import TimelineRow
from tests.support.events import NOON, ids
from tests.support.waiting import eventually

SOON = timedelta(milliseconds=20)


def row(number: int) -> TimelineRow:
    return TimelineRow(
        cloud="prod", id=f"event-{number}", time=NOON + timedelta(seconds=number), type="a.b",
        canonical="a.b", service="s", publisher="", priority="info", flavour="legacy",
        category="other", level="detail", action="none", phase="end", known=True, synthetic=False,
        subject_kind="server", subject_id="x", refs=("server/x", "port/y"), subjects=1, name=None,
        project=None, user_id=None, request_id=None, host=None, zone=None, old_state=None,
        state=None, message=None, payload={}, recorded_at=NOON,
    )  # fmt: skip


async def pages(*sizes: int) -> AsyncIterator[list[TimelineRow]]:
    first = 0
    for size in sizes:
        yield [row(number) for number in range(first, first + size)]
        first += size


def replaying(bus: MemoryBus, told: list[str], **different: object) -> Replaying:
    elapsed = iter(range(10_000))
    fields: dict[str, object] = {
        "bus": bus,
        "group": "processor",
        "pace": Pace(1e9),
        "elapsed": lambda: float(next(elapsed)),
        "tell": told.append,
    }
    return Replaying(**fields | different)  # type: ignore[arg-type] # fields of a test


async def take(bus: MemoryBus, count: int) -> Sequence[str]:
    """Take events off as the group does; each says that it is a replay."""
    seen: list[str] = []
    async with bus.subscribe("processor") as subscription:
        while len(seen) < count:
            batch = await subscription.receive(most=count, wait=SOON)
            assert {event.occasion for event in batch.events} == {Occasion.REPLAY}
            seen += ids(batch.events)
            await subscription.acknowledge(batch)
    return seen


async def test_one_group_gets_everything_in_order_marked_as_replayed() -> None:
    bus, told = MemoryBus(), list[str]()
    one = replaying(bus, told)

    async with asyncio.TaskGroup() as group:
        group.create_task(one.run(pages(1000, 300), asyncio.Event()))
        seen = group.create_task(take(bus, 1300))

    assert seen.result() == [f"event-{n}" for n in range(1300)]
    assert one.sent == 1300
    assert one.told("done") == (
        "done: 1300 events sent to processor, up to 2026-11-23 12:21:39.000"
    )
    assert told, "it says how far it is"
    assert all(line.startswith("under way: ") for line in told)


async def test_a_replay_that_is_stopped_says_where_it_goes_on() -> None:
    bus, stop = MemoryBus(), asyncio.Event()
    one = replaying(bus, [], pace=Pace(0.01), elapsed=lambda: 0.0)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(one.run(pages(1000), stop))
        await take(bus, 1)
        await eventually(lambda: _true(one.sent >= 1), what="a batch is sent")
        stop.set()
        await running

    assert one.sent == 1
    text, cursor = one.told("stopped").split("; go on with --after ")
    assert text.startswith("stopped: 1 events sent to processor, up to 2026-11-23 12:00:00.000")
    assert PositionType().convert(cursor, None, None) == row(0).position
    assert cursor == cursor_of(row(0).position)


async def test_a_bus_that_fails_leaves_the_place_before_the_batch() -> None:
    one = replaying(MemoryBus(), [], group="nobody")

    with pytest.raises(BusUnavailable, match="'nobody'"):
        await one.run(pages(5), asyncio.Event())

    assert (one.sent, one.reached) == (0, None)
    assert one.told("stopped") == "stopped: 0 events sent to nobody"


async def _true(value: bool) -> bool:  # noqa: FBT001 - what `eventually` asks
    return value
