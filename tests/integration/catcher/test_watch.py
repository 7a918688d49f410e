"""One cloud under watch: the best source that works is read, and left when it fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from services.catcher.choosing import Answer
from services.catcher.cloud import Candidate, WatchedCloud
from services.catcher.decoding.notification import Notification
from services.catcher.filters import PASS_ALL
from services.catcher.plans import Means
from services.catcher.sources.port import Handover, Source
from services.catcher.state import CloudState
from services.catcher.watch import CloudWatch, Patience
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.errors import CloudUnavailable
from shared.event import Flavour, Occasion
from shared.store.database import Database
from tests.support.catching import desk_of
from tests.support.waiting import eventually

END = "the end"
"""Given instead of an id: nothing will follow."""
QUICK = Patience(
    look=timedelta(milliseconds=5),
    trouble=timedelta(milliseconds=40),
    nothing=timedelta(milliseconds=20),
    better=timedelta(milliseconds=40),
    distrust=timedelta(milliseconds=200),
)


@dataclass
class FakeSource:
    """A source that gives what it is told, and has the trouble it is told."""

    name: str
    works: bool = True
    """What it answers when it is asked."""
    trouble: str | None = None
    occasion: Occasion = Occasion.NEWS
    readable: bool = True
    """Whether it can be opened."""
    opened: int = 0
    given: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        id_ = await self.given.get()
        return (
            Handover((), None, last=True) if id_ == END else Handover((_notification(id_),), None)
        )

    async def done(self, handover: Handover) -> None:
        """Nothing to tell anybody."""

    def leave(self) -> Handover | None:
        return None

    async def ask(self) -> Answer:
        return Answer(works=self.works, why="answers" if self.works else "connection refused")

    fills: "FakeSource | None" = None
    """What it reads to fill the gaps of others; it has an end."""
    filled_since: list[datetime] = field(default_factory=list)

    @property
    def candidate(self) -> Candidate:
        fill = None if self.fills is None else self._fill
        return Candidate(name=self.name, plans=(FakePlan(self),), ask=self.ask, fill=fill)

    def _fill(self, since: datetime) -> "FakePlan":
        assert self.fills is not None
        self.filled_since.append(since)
        return FakePlan(self.fills)


@dataclass(frozen=True)
class FakePlan:
    """Opens a fake source."""

    source: FakeSource
    cloud: str = "prod"
    alone: bool = False

    @asynccontextmanager
    async def open(self, means: Means) -> AsyncIterator[Sequence[Source]]:  # noqa: ARG002
        if not self.source.readable:
            raise CloudUnavailable(f"{self.source.name} cannot be opened")
        self.source.opened += 1
        yield (self.source,)


def _notification(id_: str) -> Notification:
    return Notification(
        message_id=id_,
        event_type="compute.instance.create.end",
        publisher_id="compute.host1",
        priority="info",
        timestamp="",
        payload={},
        context={},
        flavour=Flavour.LEGACY,
    )


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus(groups=("processor",))


@asynccontextmanager
async def watching(
    database: Database, bus: MemoryBus, *sources: FakeSource
) -> AsyncIterator[CloudWatch]:
    desk = desk_of(bus, database)
    cloud = WatchedCloud(
        name="prod",
        candidates=tuple(source.candidate for source in sources),
        wanted=PASS_ALL,
    )
    watch = CloudWatch(cloud, desk, QUICK)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.run(stop))
        try:
            yield watch
        finally:
            stop.set()


async def becomes(watch: CloudWatch, source: str | None, trouble: str | None = None) -> CloudState:
    """Wait until the watch reads a source and has that trouble; return the state then."""

    async def so() -> bool:
        state = watch.state
        return (
            state.source == source
            and (source is None or bool(watch.readers))
            and (trouble or "") in (state.trouble or "")
            and (trouble is not None or state.trouble is None)
        )

    await eventually(so, what=f"{source} is read with trouble {trouble}: {watch.state}")
    return watch.state


async def test_the_preferred_source_is_read_when_it_works(
    database: Database, bus: MemoryBus
) -> None:
    amqp, panko = FakeSource("amqp"), FakeSource("panko")
    async with watching(database, bus, amqp, panko) as watch:
        state = await becomes(watch, "amqp")

    assert state.why == "amqp: answers"
    assert (amqp.opened, panko.opened) == (1, 0)


async def test_the_next_one_is_read_when_the_preferred_does_not_answer(
    database: Database, bus: MemoryBus
) -> None:
    async with watching(
        database, bus, FakeSource("amqp", works=False), FakeSource("panko")
    ) as watch:
        state = await becomes(watch, "panko")

    assert "amqp: connection refused" in state.why


async def test_a_source_that_stays_in_trouble_is_left_for_another(
    database: Database, bus: MemoryBus
) -> None:
    amqp, panko = FakeSource("amqp"), FakeSource("panko")
    async with watching(database, bus, amqp, panko) as watch:
        await becomes(watch, "amqp")
        amqp.trouble = "the broker is gone"
        state = await becomes(watch, "panko")

    assert "amqp: failed when read: the broker is gone" in state.why


async def test_the_better_source_is_gone_back_to_when_it_answers_again(
    database: Database, bus: MemoryBus
) -> None:
    amqp, panko = FakeSource("amqp", works=False), FakeSource("panko")
    async with watching(database, bus, amqp, panko) as watch:
        await becomes(watch, "panko")
        amqp.works = True
        await becomes(watch, "amqp")


async def test_a_cloud_without_a_working_source_says_why_and_goes_on_asking(
    database: Database, bus: MemoryBus
) -> None:
    amqp, panko = FakeSource("amqp", works=False), FakeSource("panko", works=False)
    async with watching(database, bus, amqp, panko) as watch:
        await becomes(watch, None, "amqp: connection refused; panko: connection refused")
        panko.works = True
        await becomes(watch, "panko")


async def test_a_source_that_cannot_even_be_opened_shows_as_trouble(
    database: Database, bus: MemoryBus
) -> None:
    only = FakeSource("panko", readable=False)
    async with watching(database, bus, only) as watch:
        await becomes(watch, "panko", "panko cannot be opened")


async def test_a_single_source_is_kept_whatever_its_trouble(
    database: Database, bus: MemoryBus
) -> None:
    only = FakeSource("panko", works=False, trouble="503")
    async with watching(database, bus, only) as watch:
        await becomes(watch, "panko", "503")
        only.trouble = None
        await becomes(watch, "panko")

    assert only.opened == 1


async def test_what_comes_is_on_the_bus_and_heard(database: Database, bus: MemoryBus) -> None:
    source = FakeSource("amqp")
    async with (
        bus.subscribe("processor") as subscription,
        watching(database, bus, source) as watch,
    ):
        await source.given.put("one")
        batch = await subscription.receive(most=10, wait=timedelta(milliseconds=1))
        await subscription.acknowledge(batch)

        async def heard() -> bool:
            return watch.state.last is not None

        await eventually(heard, what="the watch heard the event")

    assert [event.id for event in batch.events] == ["one"]


async def test_what_the_chosen_source_missed_is_read_from_one_that_kept_it(
    database: Database, bus: MemoryBus
) -> None:
    amqp, kept = FakeSource("amqp"), FakeSource("panko missed")
    panko = FakeSource("panko", works=False, fills=kept)
    async with (
        bus.subscribe("processor") as subscription,
        watching(database, bus, amqp, panko) as watch,
    ):
        await becomes(watch, "amqp")
        assert watch.listener is not None
        watch.listener.missed(SystemClock().now())
        await kept.given.put("missed")
        batch = await subscription.receive(most=10, wait=timedelta(milliseconds=1))
        await subscription.acknowledge(batch)
        assert watch.state.missed_since is not None, "it has not come to its end"
        await kept.given.put(END)

        async def filled() -> bool:
            return watch.state.missed_since is None

        await eventually(filled, what="the gap is filled")

    assert [event.id for event in batch.events] == ["missed"]
    assert (kept.opened, len(panko.filled_since), panko.opened) == (1, 1, 0)
