"""News of an Events API that has the real ones' traps."""

import asyncio
from datetime import datetime, timedelta

import pytest

from services.catcher.sources.horizon import OVERLAP
from services.catcher.sources.polled import (
    Position,
    first_position,
    later_position,
    next_pause,
)
from services.catcher.sources.port import Unreadable
from shared.errors import CloudRefused, CloudUnavailable
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.events_api import COLUMNS, NOTHING, EventsAPI, MemoryCheckpoint, Where
from tests.support.polling import Gaps, polled, read
from tests.support.waiting import eventually

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(LATER)


@pytest.fixture
def api(clock: FixedClock) -> EventsAPI:
    return EventsAPI(clock)


def met(since: datetime, newest: datetime | None = None) -> MemoryCheckpoint:
    """Return the checkpoint of a source that was read before."""
    position = {"since": since, "newest": newest or since, "first": since}
    return MemoryCheckpoint({key: value.isoformat() for key, value in position.items()})


async def test_all_of_a_source_that_was_empty_at_first_is_news(
    api: EventsAPI, clock: FixedClock
) -> None:
    news = polled(api, clock)
    waiting = asyncio.create_task(read(news, 10))
    await news.positioned.wait()
    for number in range(10):
        api.record(f"event-{number}", NOON + number * SECOND)

    assert await waiting == [f"event-{number}" for number in range(10)]
    assert news.first is None


async def test_news_begin_an_overlap_before_the_newest_event_of_the_first_meeting(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("history", NOON - 61 * SECOND)
    api.record("perhaps not all of its time is there", NOON - 59 * SECOND)
    api.record("newest", NOON)
    news = polled(api, clock)

    assert await read(news, 2) == ["perhaps not all of its time is there", "newest"]
    assert news.first == NOON - 60 * SECOND


async def test_an_event_recorded_late_is_read_all_the_same(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("on time", NOON)
    news = polled(api, clock)
    assert await read(news, 1) == ["on time"]

    api.record("late", NOON - 30 * SECOND)

    assert await read(news, 1) == ["late"]


async def test_a_restart_goes_on_from_the_horizon(api: EventsAPI, clock: FixedClock) -> None:
    checkpoint = met(NOON)
    api.record("long ago", NOON)
    api.record("just read", NOON + timedelta(minutes=10))
    assert await read(polled(api, clock, checkpoint), 2) == ["long ago", "just read"]

    api.record("next", NOON + timedelta(minutes=11))

    assert await read(polled(api, clock, checkpoint), 2) == ["just read", "next"]


async def test_the_checkpoint_moves_only_when_the_page_is_done(
    api: EventsAPI, clock: FixedClock
) -> None:
    checkpoint = met(NOON)
    api.record("one", NOON + timedelta(minutes=5))
    news = polled(api, clock, checkpoint)

    handover = await news.receive(most=10, wait=NOTHING)
    before = checkpoint.position
    await news.done(handover)

    assert before is not None
    assert before["since"] == NOON.isoformat()
    assert checkpoint.position == {
        "since": (NOON + timedelta(minutes=4)).isoformat(),
        "newest": (NOON + timedelta(minutes=5)).isoformat(),
        "first": NOON.isoformat(),
    }


async def test_trouble_is_shown_and_waited_out(api: EventsAPI, clock: FixedClock) -> None:
    api.record("one", NOON)
    api.failures = [CloudUnavailable("503"), CloudRefused("400 no", status=400)]
    news = polled(api, clock)

    assert await read(news, 1) == ["one"]
    assert news.trouble is None


async def test_pages_grow_smaller_while_there_is_trouble(api: EventsAPI, clock: FixedClock) -> None:
    api.record("one", NOON)
    news = polled(api, clock)
    await read(news, 1)
    api.requests.clear()
    api.failures = [CloudUnavailable("timed out"), CloudUnavailable("timed out")]
    api.record("two", NOON)

    await read(news, 1, page=1000)

    limits = [int(dict(params)["limit"]) for params in api.requests]
    assert limits[:3] == [1000, 500, 250]


async def test_an_expired_marker_goes_on_from_its_time(api: EventsAPI, clock: FixedClock) -> None:
    for number in range(4):
        api.record(f"event-{number}", NOON + number * SECOND)
    news = polled(api, clock, met(NOON))
    assert await read(news, 2, page=2) == ["event-0", "event-1"]

    api.expire(NOON + 2 * SECOND)  # the marker, too

    assert await read(news, 2, page=2) == ["event-2", "event-3"]


async def test_a_time_in_the_future_does_not_hide_what_comes(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("from the future", LATER + timedelta(days=365))
    news = polled(api, clock)
    assert await read(news, 1) == ["from the future"]

    api.record("now", LATER)

    assert await read(news, 1) == ["now"]


@pytest.mark.parametrize(
    ("url", "root"), [("http://panko:8977", "/v2"), ("http://cloud/event/v2/", "")]
)
async def test_an_endpoint_may_be_given_with_its_version(
    api: EventsAPI, clock: FixedClock, url: str, root: str
) -> None:
    api.where, api.root = Where(url), root
    api.record("one", NOON)

    assert await read(polled(api, clock), 1) == ["one"]


async def test_a_cloud_without_the_service_is_a_visible_state(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.where = None
    news = polled(api, clock)

    waiting = asyncio.create_task(news.receive(most=1, wait=NOTHING))

    async def told() -> bool:
        return news.trouble is not None and "no service of type 'event'" in news.trouble

    await eventually(told, what="the source says why nothing arrives")
    waiting.cancel()


async def test_every_condition_has_field_op_value_and_type(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record("one", NOON)

    await read(polled(api, clock, met(NOON)), 1)

    counts = {name: sum(key == f"q.{name}" for key, _ in api.requests[-1]) for name in COLUMNS}
    assert counts == dict.fromkeys(COLUMNS, 2)


async def test_an_item_that_is_no_event_is_handed_over_once_as_unreadable(
    api: EventsAPI, clock: FixedClock
) -> None:
    api.record_anything({"generated": NOON.replace(tzinfo=None).isoformat(), "no": "event"})
    news = polled(api, clock)

    handover = await news.receive(most=10, wait=NOTHING)
    api.record("next", NOON)

    assert isinstance(handover.items[0], Unreadable)
    assert b'"no"' in handover.items[0].body
    assert await read(news, 1) == ["next"]


async def test_an_answer_that_python_wrote_is_read_although_it_is_no_json(
    api: EventsAPI, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.record("not a number", NOON, raw={"payload": {"load": "X"}})
    strict = api.body

    async def written_by_python(*arguments: object) -> bytes:
        return (await strict(*arguments)).replace(b'"X"', b"NaN")  # type: ignore[arg-type]

    monkeypatch.setattr(api, "body", written_by_python)

    assert await read(polled(api, clock), 1) == ["not a number"]


async def test_what_expired_before_it_was_read_is_a_gap(api: EventsAPI, clock: FixedClock) -> None:
    gaps = Gaps()
    checkpoint = met(NOON - timedelta(days=2), NOON - timedelta(days=2))
    api.record("kept", NOON)

    assert await read(polled(api, clock, checkpoint, on_gap=gaps), 1) == ["kept"]
    assert "keeps events since 2026-11-23 12:00:00+00:00 only" in gaps[0]

    await read(polled(api, clock, checkpoint, on_gap=gaps), 1)
    assert len(gaps) == 1


async def test_what_expired_during_an_outage_is_a_gap(api: EventsAPI, clock: FixedClock) -> None:
    gaps = Gaps()
    api.record("read", NOON)
    news = polled(api, clock, on_gap=gaps)
    await read(news, 1)
    api.failures = [CloudUnavailable("503")]
    api.expire(LATER)
    api.record("kept", LATER)

    assert await read(news, 1) == ["kept"]
    assert len(gaps) == 1


async def test_nothing_expired_is_no_gap(api: EventsAPI, clock: FixedClock) -> None:
    gaps = Gaps()
    api.record("read", NOON)
    checkpoint = MemoryCheckpoint()
    await read(polled(api, clock, checkpoint), 1)
    api.record("new", LATER)

    await read(polled(api, clock, checkpoint, on_gap=gaps), 2)

    assert not gaps


async def test_an_empty_list_that_means_not_permitted_is_trouble_with_the_way_out(
    clock: FixedClock,
) -> None:
    api = EventsAPI(clock, admin=False)
    api.record("somebody else's", NOON)
    news = polled(api, clock)

    waiting = asyncio.create_task(read(news, 1))

    async def told() -> bool:
        return news.trouble is not None and "role `admin`" in news.trouble

    await eventually(told, what="the source says that it may not read")
    api.admin = True
    assert await waiting == ["somebody else's"]


def test_polls_follow_quickly_while_pages_come_full_and_slow_down_after() -> None:
    longest, pause = timedelta(seconds=20), NOTHING
    pauses = []
    for busy in (False, True, True, False, False, False, False, False, False):
        pause = next_pause(pause, busy=busy, longest=longest)
        pauses.append(pause.total_seconds())

    assert pauses == [20, 1, 1, 2, 4, 8, 16, 20, 20]


def test_a_poll_interval_below_a_second_stays() -> None:
    half = timedelta(seconds=0.5)

    assert next_pause(half, busy=True, longest=half) == half


def test_a_cloud_heard_through_another_source_has_news_since_then() -> None:
    assert first_position(NOON, None) == Position(NOON, None, NOON)
    assert first_position(NOON, NOON + HOUR).since == NOON
    assert first_position(NOON, NOON - HOUR).since == NOON - HOUR - OVERLAP
    assert first_position(None, NOON - HOUR).since is None


def test_a_checkpoint_left_for_another_source_is_no_place_to_go_on_from() -> None:
    saved = Position(NOON, NOON, NOON - HOUR)

    assert later_position(saved, None) == saved
    assert later_position(saved, NOON) == saved
    assert later_position(saved, NOON + HOUR) == Position(NOON + HOUR - OVERLAP, None, NOON - HOUR)
