"""How far full passes are, in one line."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.cli.mending.passing import pass_row, progress
from shared.store.passes import FullPass, PassFigures, PassState, Place

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_pass(kind: str, state: PassState, seen: int = 0) -> FullPass:
    return FullPass(
        id=UUID(int=1),
        cloud="prod",
        kind=kind,
        asked_by="request",
        state=state,
        asked_at=NOON,
        started_at=NOON + timedelta(seconds=5),
        finished_at=NOON + timedelta(seconds=10) if state.over else None,
        claimed_by=None,
        claimed_until=None,
        figures=PassFigures(pages=seen // 1000, seen=seen),
        error=None,
        first=False,
        place=Place(NOON + timedelta(seconds=2)),
    )


def test_progress_names_what_is_under_way_and_the_rate() -> None:
    passes = [
        a_pass("port", PassState.RUNNING, 30_000),
        a_pass("server", PassState.DONE, 10_000),
        a_pass("image", PassState.WAITING),
    ]

    assert progress(passes, timedelta(seconds=20)) == (
        "20 s  1 of 3 passes over, 40000 objects (2000/s)  port 30000 in 30 pages"
    )


def test_progress_says_that_nobody_has_begun() -> None:
    told = progress([a_pass("image", PassState.WAITING)], timedelta(seconds=4))

    assert told == "4 s  0 of 1 passes over, 0 objects (0/s)  waiting for a refresher"


def test_progress_fits_into_a_line_however_many_kinds_there_are() -> None:
    passes = [a_pass(f"kind-{number}", PassState.RUNNING, 1000) for number in range(30)]

    assert progress(passes, timedelta(seconds=1)).endswith("kind-3 1000 in 1 pages, ...")


def test_a_pass_that_another_copy_went_on_with_took_all_the_time() -> None:
    assert pass_row(a_pass("port", PassState.DONE))["seconds"] == 8
    assert pass_row(a_pass("port", PassState.WAITING))["seconds"] is None
