"""When a failed action is tried again."""

import math
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.actions.schedule import LONGEST_ASKED_FOR, Patience
from tests.support.events import NOON

DAY = timedelta(hours=24)


def tries_until_the_end(seed: int, after_seconds: float | None = None) -> list[timedelta]:
    """Return when each try is made, from the first failure on."""
    patience, random, moments, now = Patience(), Random(seed), [], NOON
    while True:
        moments.append(now - NOON)
        due_at = patience.next_try(
            tries=len(moments), since=NOON, now=now, after_seconds=after_seconds, random=random
        )
        if due_at is None:
            return moments
        now = due_at


@given(st.integers())
def test_tries_go_on_for_a_day_and_end_with_it(seed: int) -> None:
    moments = tries_until_the_end(seed)

    assert moments[-1] == DAY
    assert moments == sorted(moments)
    assert 8 <= len(moments) <= 100
    assert moments[1] <= timedelta(seconds=5)


def test_copies_that_failed_together_do_not_come_back_together() -> None:
    assert len({tries_until_the_end(seed)[1] for seed in range(50)}) == 50


@given(st.integers(), st.floats(min_value=0, max_value=1e9))
def test_a_receiver_is_never_asked_sooner_than_it_wants(seed: int, after: float) -> None:
    moments = tries_until_the_end(seed, after)
    waits = [later - earlier for earlier, later in pairwise(moments)]

    assert all(wait >= min(timedelta(seconds=after), LONGEST_ASKED_FOR) for wait in waits)
    assert moments[-1] <= DAY + LONGEST_ASKED_FOR


@pytest.mark.parametrize("after", [math.inf, math.nan, 1e300])
def test_a_receiver_that_asks_for_all_time_to_come_gets_a_day(after: float) -> None:
    due_at = Patience().next_try(
        tries=1, since=NOON, now=NOON, after_seconds=after, random=Random(1)
    )

    assert due_at == NOON + LONGEST_ASKED_FOR
