"""Which weeks have to go."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.store.partitions import Week, surplus
from tests.support.events import NOON


@given(st.lists(st.integers(0, 100), max_size=10), st.integers(1, 500), st.integers(-2, 12))
def test_the_oldest_weeks_go_and_no_more_than_needed(
    sizes: list[int], most: int, written: int
) -> None:
    first = NOON.replace(hour=0)
    weeks = [
        Week(str(number), first + timedelta(weeks=number), size)
        for number, size in enumerate(sizes)
    ]

    going = surplus(weeks, most, now=NOON + timedelta(weeks=written))

    assert going == weeks[: len(going)]
    assert all(week.begins < first + timedelta(weeks=written) for week in going)
    rest = sum(week.bytes for week in weeks[len(going) :])
    if rest > most:
        assert len(going) == len(weeks[: max(0, written)]), "nothing else may go"
    if going:
        assert rest + going[-1].bytes > most, "the last one had to go"
