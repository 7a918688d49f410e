"""How a page is gathered from weeks."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.store.surroundings import merged
from shared.store.timeline_reading import like, spans
from tests.support.events import NOON

WEEK = timedelta(weeks=1)
moments = st.integers(-2000, 2000).map(lambda hours: NOON + timedelta(hours=hours))


@given(
    weeks=st.sets(st.integers(-6, 6)).map(
        lambda found: sorted(NOON + number * WEEK for number in found)
    ),
    since=st.none() | moments,
    until=st.none() | moments,
)
def test_spans_cover_the_asked_time_once_and_never_cross_a_week(
    weeks: list[datetime], since: datetime | None, until: datetime | None
) -> None:
    found = list(spans(weeks, since, until))

    if since is not None and until is not None and since >= until:
        assert found == []
        return
    assert found[0][0] == since
    assert found[-1][1] == until
    assert all(one[1] == other[0] for one, other in pairwise(found))
    edges = {edge for week in weeks for edge in (week, week + WEEK)}
    for begin, end in found:
        assert not any(
            (begin is None or begin < edge) and (end is None or edge < end) for edge in edges
        )


def test_a_pattern_is_written_as_like_takes_it() -> None:
    assert like("compute.instance.*") == "compute.instance.%"
    assert like("100%_a\\b") == "100\\%\\_a\\\\b"


@given(st.lists(moments, max_size=30), st.integers(0, 5000))
def test_windows_reach_around_every_time_and_never_touch(
    times: list[datetime], minutes: int
) -> None:
    within = timedelta(minutes=minutes)

    windows = merged(times, within)

    assert all(
        any(begin <= time - within and time + within <= end for begin, end in windows)
        for time in times
    )
    assert all(one[1] < other[0] for one, other in pairwise(windows))
