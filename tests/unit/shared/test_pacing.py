import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pacing import Pace

rates = st.floats(min_value=0.1, max_value=1e5)
ramps = st.floats(min_value=0, max_value=1e4)


def test_without_a_ramp_things_are_evenly_spaced() -> None:
    pace = Pace(10)

    assert [pace.due_seconds(number) for number in (0, 1, 25)] == [0, 0.1, 2.5]


def test_half_of_what_the_rate_would_send_is_sent_in_the_ramp() -> None:
    assert Pace(100, ramp_seconds=10).due_seconds(500) == pytest.approx(10)


def test_without_a_rate_everything_is_due_at_once() -> None:
    assert Pace(math.inf, ramp_seconds=10).due_seconds(10**9) == 0


@given(rates, ramps, st.integers(0, 10**6))
def test_nothing_is_due_before_what_comes_before_it(rate: float, ramp: float, number: int) -> None:
    pace = Pace(rate, ramp)

    assert pace.due_seconds(number) <= pace.due_seconds(number + 1)


@given(rates, ramps, st.integers(0, 10**6))
def test_after_the_ramp_the_rate_holds(rate: float, ramp: float, number: int) -> None:
    first = math.ceil(rate * ramp / 2) + number
    pace = Pace(rate, ramp)

    assert pace.due_seconds(first + 1) - pace.due_seconds(first) == pytest.approx(
        1 / rate, rel=1e-3
    )
