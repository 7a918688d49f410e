"""What another source missed, read once more from an Events API, to its end."""

from datetime import timedelta
from random import Random

import pytest

from services.catcher.decoding.notification import Notification
from services.catcher.missed import Missed
from services.catcher.sources.pager import Pager
from shared.errors import CloudUnavailable
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.events_api import NOTHING, EventsAPI
from tests.support.polling import AT_ONCE, reader

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
WAIT = timedelta(milliseconds=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON + HOUR)


@pytest.fixture
def api(clock: FixedClock) -> EventsAPI:
    return EventsAPI(clock)


def missed(api: EventsAPI, clock: FixedClock) -> Missed:
    pager = Pager(reader(api), name="panko missed", clock=clock, random=Random(1), backoff=AT_ONCE)
    return Missed(pager, since=NOON, again_after=NOTHING)


async def read(source: Missed) -> list[str]:
    """Read to the end; return the ids."""
    ids: list[str] = []
    while True:
        handover = await source.receive(most=2, wait=WAIT)
        ids += [item.message_id for item in handover.items if isinstance(item, Notification)]
        await source.done(handover)
        if handover.last:
            return ids


async def test_all_since_the_last_word_is_read_once_with_an_overlap(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("long before", NOON - HOUR)
    for number in range(-3, 7):
        api.record(f"event-{number}", NOON + number * 10 * SECOND)

    assert await read(missed(api, clock)) == [f"event-{number}" for number in range(-3, 7)]


async def test_what_is_recorded_late_is_found_by_the_second_look(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("in time", NOON + SECOND)
    source = missed(api, clock)
    first = await source.receive(most=10, wait=WAIT)
    api.record("late", NOON)

    assert len(first.items) == 1
    assert await read(source) == ["late"]


async def test_an_api_that_keeps_nothing_comes_to_its_end(
    api: EventsAPI, clock: FixedClock
) -> None:
    assert await read(missed(api, clock)) == []


async def test_trouble_is_waited_out_and_shown(api: EventsAPI, clock: FixedClock) -> None:
    api.record("one", NOON)
    api.failures = [CloudUnavailable("503")]
    source = missed(api, clock)
    assert source.trouble == "not asked yet"

    assert await read(source) == ["one"]
    assert source.trouble is None
