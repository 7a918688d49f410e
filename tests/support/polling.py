"""Polled sources for tests: over an Events API in memory, without waiting."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from prometheus_client import CollectorRegistry

from services.catcher.decoding.notification import Notification
from services.catcher.history import History
from services.catcher.metrics import HistoryMetrics
from services.catcher.sources.ceilometer import Ceilometer
from services.catcher.sources.events_api import Reader
from services.catcher.sources.pager import Pager
from services.catcher.sources.panko import Panko
from services.catcher.sources.polled import PolledSource
from services.catcher.sources.port import Source
from services.catcher.turn import Leisure
from shared.backoff import Backoff
from tests.support.clocks import FixedClock
from tests.support.events_api import NOTHING, EventsAPI, MemoryCheckpoint

AT_ONCE = Backoff(first_seconds=0.0001, longest_seconds=0.0001)


class Gaps(list[str]):
    """The gaps that were reported."""

    async def __call__(self, reason: str) -> None:
        """Keep `services.catcher.sources.port.OnGap`."""
        self.append(reason)


def reader(api: EventsAPI) -> Reader:
    """Return a reader that knows nothing of the release yet."""
    dialect = Panko() if api.release.service_type == "event" else Ceilometer()
    return Reader(api, dialect, cloud="prod")


def polled(
    api: EventsAPI,
    clock: FixedClock,
    checkpoint: MemoryCheckpoint | None = None,
    *,
    on_gap: Gaps | None = None,
) -> PolledSource:
    """Return the news of `api`."""
    return PolledSource(
        reader(api),
        checkpoint or MemoryCheckpoint(),
        on_gap=Gaps() if on_gap is None else on_gap,
        poll_interval=NOTHING,
        clock=clock,
        random=Random(1),
        backoff=AT_ONCE,
    )


def history_of(
    api: EventsAPI,
    clock: FixedClock,
    news: PolledSource,
    checkpoint: MemoryCheckpoint | None = None,
    *,
    since: datetime | None = None,
    waiting: Sequence[int] = (),
    registry: CollectorRegistry | None = None,
) -> History:
    """Return what `api` held before the news; the bus has so many messages `waiting`, then none."""
    numbers = list(waiting)

    async def backlog() -> int:
        return numbers.pop(0) if numbers else 0

    return History(
        Pager(reader(api), name="panko history", clock=clock, random=Random(1), backoff=AT_ONCE),
        checkpoint or MemoryCheckpoint(),
        since=since,
        news=news,
        leisure=Leisure(
            turn=news.turn, backlog=backlog, clock=clock, random=Random(1), backoff=AT_ONCE
        ),
        metrics=HistoryMetrics(registry or CollectorRegistry()),
        clock=clock,
    )


async def read(source: Source, count: int, *, page: int = 3, seconds: float = 60) -> list[str]:
    """Read and finish pages until `count` notifications came; return their ids."""
    ids: list[str] = []
    async with asyncio.timeout(seconds):
        while len(ids) < count:
            handover = await source.receive(most=page, wait=timedelta())
            ids += [item.message_id for item in handover.items if isinstance(item, Notification)]
            await source.done(handover)
    return ids


async def read_all(source: Source, *, page: int = 3) -> list[str]:
    """Read and finish pages until the source is at its end; return the ids."""
    ids: list[str] = []
    async with asyncio.timeout(60):
        while True:
            handover = await source.receive(most=page, wait=timedelta())
            ids += [item.message_id for item in handover.items if isinstance(item, Notification)]
            await source.done(handover)
            if handover.last:
                return ids
