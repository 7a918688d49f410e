from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.refresher.schedule import asked_by, goes_on
from shared.store.passes import FullPass, PassFigures, PassState, Place

DONE_AT = datetime(2026, 11, 23, tzinfo=UTC)
INTERVAL = timedelta(hours=6)


def a_pass(state: PassState, by: str = "schedule", place: Place | None = None) -> FullPass:
    ended = state.over
    return FullPass(
        id=UUID(int=1),
        cloud="prod",
        kind="port",
        asked_by=by,
        state=state,
        asked_at=DONE_AT,
        started_at=DONE_AT,
        finished_at=DONE_AT if ended else None,
        claimed_by="copy-1",
        claimed_until=None,
        figures=PassFigures(),
        error=None,
        first=False,
        place=place,
    )


def test_a_kind_without_any_pass_starts() -> None:
    assert asked_by(None, now=DONE_AT, interval=INTERVAL, jitter=1) == "start"


@pytest.mark.parametrize(
    ("state", "by", "after", "expected"),
    [
        (PassState.DONE, "start", timedelta(hours=5), None),
        (PassState.ABSENT, "request", timedelta(0), "start"),
        (PassState.DONE, "start", timedelta(hours=6), "schedule"),
        (PassState.WAITING, "schedule", timedelta(days=9), None),
        (PassState.RUNNING, "schedule", timedelta(days=9), None),
        (PassState.FAILED, "schedule", timedelta(seconds=59), None),
        (PassState.FAILED, "schedule", timedelta(seconds=60), "schedule"),
        (PassState.FAILED, "e1", timedelta(seconds=60), "schedule"),
        (PassState.FAILED, "start", timedelta(seconds=60), "start"),
    ],
)
def test_the_latest_pass_tells_when_the_next_is_due(
    state: PassState, by: str, after: timedelta, expected: str | None
) -> None:
    latest = a_pass(state, by)
    assert asked_by(latest, now=DONE_AT + after, interval=INTERVAL, jitter=1) == expected


def test_jitter_moves_the_time() -> None:
    latest = a_pass(PassState.DONE)
    almost = DONE_AT + timedelta(hours=5.5)
    assert asked_by(latest, now=almost, interval=INTERVAL, jitter=0.9) == "schedule"
    assert asked_by(latest, now=almost, interval=INTERVAL, jitter=1.1) is None


MIDWAY = Place(DONE_AT, markers=("p7",))


@pytest.mark.parametrize(
    ("state", "place", "after", "interval", "expected"),
    [
        (PassState.FAILED, MIDWAY, timedelta(minutes=59), INTERVAL, True),
        (PassState.FAILED, MIDWAY, timedelta(minutes=60), INTERVAL, False),
        (PassState.FAILED, MIDWAY, timedelta(minutes=10), timedelta(minutes=10), False),
        (PassState.FAILED, Place(DONE_AT), timedelta(0), INTERVAL, False),
        (PassState.FAILED, None, timedelta(0), INTERVAL, False),
        (PassState.DONE, MIDWAY, timedelta(0), INTERVAL, False),
    ],
)
def test_what_failed_in_the_middle_lately_is_gone_on_with(
    state: PassState, place: Place | None, after: timedelta, interval: timedelta, *, expected: bool
) -> None:
    latest = a_pass(state, place=place)
    assert goes_on(latest, now=DONE_AT + after, interval=interval) is expected
