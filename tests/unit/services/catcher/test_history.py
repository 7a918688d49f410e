"""Loading what a source held when it was first met."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.catcher.history import Progress
from services.catcher.sources.polled import PolledSource
from shared.event import Occasion
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.events_api import EventsAPI, MemoryCheckpoint
from tests.support.polling import history_of, polled, read, read_all

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON + HOUR)


@pytest.fixture
def api(clock: FixedClock) -> EventsAPI:
    api = EventsAPI(clock)
    for number in range(10):
        api.record(f"old-{number}", NOON - 10 * HOUR + number * MINUTE)
    api.record("new", NOON)
    return api


@pytest.fixture
async def news(api: EventsAPI, clock: FixedClock) -> PolledSource:
    """News that were read once and rest."""
    source = polled(api, clock)
    assert await read(source, 1) == ["new"]
    source.turn.leave()
    return source


OLD = [f"old-{number}" for number in range(10)]


async def test_it_is_what_was_there_before_the_news_began(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    history = history_of(api, clock, news)

    assert await read_all(history) == OLD
    assert history.occasion is Occasion.HISTORY


async def test_it_can_begin_at_a_time(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    since = NOON - 10 * HOUR + 8 * MINUTE

    assert await read_all(history_of(api, clock, news, since=since)) == OLD[8:]
    assert await read_all(history_of(api, clock, news, since=NOON)) == []


async def test_a_restart_goes_on_at_the_very_event(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    checkpoint = MemoryCheckpoint()
    assert await read(history_of(api, clock, news, checkpoint), 6) == OLD[:6]

    assert await read_all(history_of(api, clock, news, checkpoint)) == OLD[6:]


async def test_what_was_not_done_comes_again(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    checkpoint = MemoryCheckpoint()
    first = history_of(api, clock, news, checkpoint)
    await read(first, 3)
    await first.receive(most=3, wait=timedelta())

    assert await read_all(history_of(api, clock, news, checkpoint)) == OLD[3:]


async def test_once_loaded_it_is_never_loaded_again(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    checkpoint, registry = MemoryCheckpoint(), CollectorRegistry()
    await read_all(history_of(api, clock, news, checkpoint))

    again = await read_all(history_of(api, clock, news, checkpoint, registry=registry))

    assert again == []
    labels = {"cloud": "prod"}
    assert registry.get_sample_value("osevents_history_events", labels) == 10
    assert registry.get_sample_value("osevents_history_done_ratio", labels) == 1


async def test_a_marker_that_expired_goes_on_from_its_time(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    checkpoint = MemoryCheckpoint()
    await read(history_of(api, clock, news, checkpoint), 6)
    api.expire(NOON - 10 * HOUR + 7 * MINUTE)

    assert await read_all(history_of(api, clock, news, checkpoint)) == OLD[7:]


async def test_it_waits_while_news_are_read(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    news.turn.take()
    history = history_of(api, clock, news)

    loading = asyncio.create_task(read_all(history))
    asked = len(api.requests)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(api.requests) == asked

    news.turn.leave()
    assert await loading == OLD


async def test_it_waits_while_events_wait_on_the_bus(
    api: EventsAPI, clock: FixedClock, news: PolledSource
) -> None:
    waiting = [3, 2, 1]
    history = history_of(api, clock, news, waiting=waiting)

    handover = await history.receive(most=3, wait=timedelta())

    assert len(handover.items) == 3


async def test_a_source_that_was_empty_has_none(clock: FixedClock) -> None:
    api = EventsAPI(clock)
    news = polled(api, clock)
    reading = asyncio.create_task(read(news, 1))

    assert await read_all(history_of(api, clock, news)) == []

    api.record("new", NOON)
    await reading


def test_progress_tells_rate_share_and_time_left() -> None:
    progress = Progress(oldest=NOON, until=NOON + 10 * HOUR)
    for second in range(5):
        progress.add(NOON + second * SECOND, 1000, NOON + second * HOUR)

    assert progress.per_second == pytest.approx(1000)
    assert progress.share == pytest.approx(0.4)
    assert progress.left == 6 * SECOND


def test_progress_knows_nothing_before_it_moves() -> None:
    progress = Progress(oldest=None, until=NOON)
    progress.add(NOON, 10, None)

    assert (progress.per_second, progress.share, progress.left) == (0, 0, None)
