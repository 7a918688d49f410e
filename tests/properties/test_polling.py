"""Whatever arrives late by up to the overlap, in any order, with equal times: each id once.

The API is one in memory whose time passes with every question, so that events are recorded between
the pages of a sweep, before and behind the place that was read.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.catcher.decoding.notification import Notification
from services.catcher.sources.port import Source
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.events_api import EndOfTest, EventsAPI, MemoryCheckpoint
from tests.support.polling import history_of, polled, read, read_all
from tests.support.waiting import eventually

SECOND = timedelta(seconds=1)
ARRIVALS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), min_size=1, max_size=30)
"""When an event is recorded (second), and how many seconds before that it was generated."""
RELEASES = st.sampled_from(["Panko 10", "Panko 4.0.0", "Panko 1", "Newton", "Mitaka", "Kilo"])


def arranged(
    release: str, arrivals: list[tuple[int, int]], each_takes: timedelta
) -> tuple[EventsAPI, FixedClock, list[str]]:
    """Return an API in which the events will appear, and their ids."""
    clock = FixedClock(NOON)
    api = EventsAPI(clock, release, each_takes=each_takes)
    for number, (second, delay) in enumerate(arrivals):
        recorded = NOON + second * SECOND
        api.record(f"event-{number}", recorded - delay * SECOND, recorded)
    # After the last arrival: one that is late by all it may be would still be found.
    api.end = NOON + 301 * SECOND + 30 * each_takes
    return api, clock, [f"event-{number}" for number in range(len(arrivals))]


async def to_the_end(source: Source, page: int, *, handovers: int | None = None) -> list[str]:
    """Read until the time of the test is over, or so many handovers were done."""
    ids: list[str] = []
    with suppress(EndOfTest):
        while handovers is None or handovers > 0:
            handover = await source.receive(most=page, wait=timedelta())
            ids += [item.message_id for item in handover.items if isinstance(item, Notification)]
            await source.done(handover)
            handovers = None if handovers is None else handovers - 1
    return ids


@settings(max_examples=60)
@given(RELEASES, ARRIVALS, st.integers(1, 7), st.integers(1, 40))
@example("Panko 10", [(0, 0), (50, 49), (100, 0), (100, 60)], 1, 20)
def test_each_comes_once_whatever_is_late_within_the_overlap(
    release: str, arrivals: list[tuple[int, int]], page: int, each_takes: int
) -> None:
    api, clock, ids = arranged(release, arrivals, each_takes * SECOND / 4)
    # What has been there for long at the first meeting would be history.
    checkpoint = MemoryCheckpoint(
        {"since": (NOON - 120 * SECOND).isoformat(), "newest": None, "first": None}
    )

    seen = asyncio.run(to_the_end(polled(api, clock, checkpoint), page))

    assert sorted(seen) == sorted(ids)


@settings(max_examples=60)
@given(RELEASES, ARRIVALS, st.integers(1, 7), st.lists(st.integers(1, 6), max_size=6))
def test_a_restart_loses_nothing_and_repeats_only_what_is_behind_the_horizon(
    release: str, arrivals: list[tuple[int, int]], page: int, lives: list[int]
) -> None:
    api, clock, ids = arranged(release, arrivals, SECOND)
    checkpoint = MemoryCheckpoint(
        {"since": (NOON - 120 * SECOND).isoformat(), "newest": None, "first": None}
    )
    times = {
        id_: NOON + (second - delay) * SECOND
        for id_, (second, delay) in zip(ids, arrivals, strict=True)
    }

    async def scenario() -> set[str]:
        seen: set[str] = set()
        for life in [*lives, None]:
            assert checkpoint.position is not None
            since = datetime.fromisoformat(checkpoint.position["since"])
            came = await to_the_end(polled(api, clock, checkpoint), page, handovers=life)
            assert len(came) == len(set(came))
            assert all(times[id_] >= since for id_ in seen & set(came))
            seen |= set(came)
        return seen

    assert asyncio.run(scenario()) == set(ids)


@settings(max_examples=60)
@given(
    RELEASES,
    st.lists(st.integers(-500, 0), min_size=1, max_size=30),
    st.integers(1, 7),
    st.lists(st.integers(1, 4), max_size=4),
)
def test_history_and_news_share_what_was_there_and_each_restart_goes_on_exactly(
    release: str, seconds: list[int], page: int, lives: list[int]
) -> None:
    clock = FixedClock(NOON)
    api = EventsAPI(clock, release)
    ids = [f"event-{number}" for number in range(len(seconds))]
    for id_, second in zip(ids, seconds, strict=True):
        api.record(id_, NOON + second * SECOND)
    api.end = NOON + SECOND

    async def scenario() -> list[str]:
        news = polled(api, clock, MemoryCheckpoint())
        checkpoint = MemoryCheckpoint()
        seen: list[str] = []
        reading = asyncio.create_task(to_the_end(news, page))
        for life in lives:
            history = history_of(api, clock, news, checkpoint)
            for _ in range(life):
                handover = await history.receive(most=page, wait=timedelta())
                seen += [item.message_id for item in handover.items]  # type: ignore[union-attr]
                await history.done(handover)
        seen += await read_all(history_of(api, clock, news, checkpoint), page=page)
        enough = len(api.requests) + 10 * len(ids) + 50

        async def polled_on() -> bool:
            return len(api.requests) >= enough

        await eventually(polled_on, what="the news were read to their end")
        clock.advance(2 * SECOND)
        return seen + await reading

    assert sorted(asyncio.run(scenario())) == sorted(ids)


@pytest.mark.parametrize("release", ["Panko 10", "Newton", "Kilo"])
@pytest.mark.parametrize("page", [100, 1000])
async def test_ten_thousand_events_of_one_instant_come_once(release: str, page: int) -> None:
    clock = FixedClock(NOON + timedelta(hours=1))
    api = EventsAPI(clock, release)
    for number in range(10_000):
        api.record(f"event-{number}", NOON)
    checkpoint = MemoryCheckpoint(
        {"since": NOON.isoformat(), "newest": NOON.isoformat(), "first": None}
    )
    news = polled(api, clock, checkpoint)

    came = await read(news, 10_000, page=page)
    api.record("next", NOON)

    assert len(set(came)) == len(came) == 10_000
    assert await read(news, 1, page=page) == ["next"]
