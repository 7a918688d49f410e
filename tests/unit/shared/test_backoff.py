from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import Backoff


@given(st.integers(min_value=1, max_value=10_000), st.integers())
def test_a_delay_is_never_zero_and_never_above_the_cap(attempt: int, seed: int) -> None:
    backoff = Backoff(first_seconds=0.5, longest_seconds=30)

    delay = backoff.delay_seconds(attempt, Random(seed))

    assert 0 < delay <= 30


def test_the_bound_doubles_until_the_cap() -> None:
    backoff = Backoff(first_seconds=1, factor=2, longest_seconds=6)

    longest = [
        max(backoff.delay_seconds(attempt, Random(seed)) for seed in range(500))
        for attempt in (1, 2, 3, 4)
    ]

    assert [round(seconds) for seconds in longest] == [1, 2, 4, 6]


def test_copies_that_failed_together_do_not_return_together() -> None:
    delays = {Backoff().delay_seconds(5, Random(seed)) for seed in range(20)}

    assert len(delays) == 20
