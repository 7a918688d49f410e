from datetime import timedelta

from shared.followed_clock import FollowedClock, Sample
from tests.support.events import NOON

SECOND = timedelta(seconds=1)


class Ticks:
    """Stand still until they are set."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


def answer(asked: float, answered: float, told: timedelta) -> Sample:
    return Sample(asked, answered, NOON + told)


def test_an_answer_was_right_in_the_middle_of_its_round_trip() -> None:
    ticks = Ticks()
    clock = FollowedClock(ticks, answer(90, 94, timedelta()))
    assert clock.now() == NOON + 8 * SECOND


def test_between_answers_it_goes_on_by_ticks_alone() -> None:
    ticks = Ticks()
    clock = FollowedClock(ticks, answer(100, 100, timedelta()))
    before = clock.error_seconds
    ticks.at += 3600
    assert clock.now() == NOON + 3600 * SECOND
    assert clock.error_seconds > before


def test_the_quicker_of_two_answers_is_gone_by() -> None:
    ticks = Ticks()
    clock = FollowedClock(ticks, answer(98, 98.1, timedelta()))
    moved = clock.take(answer(98.1, 100, timedelta(seconds=1.5)))
    assert moved == timedelta()
    moved = clock.take(answer(99.99, 100, timedelta(seconds=1.96)))
    assert moved == timedelta(seconds=0.015)


def test_a_slower_answer_is_gone_by_once_the_quicker_is_old() -> None:
    ticks = Ticks()
    clock = FollowedClock(ticks, answer(100, 100, timedelta()))
    ticks.at = 4100.0
    assert clock.take(answer(4099, 4100, 3999 * SECOND)) == -SECOND / 2


def test_another_clock_that_was_set_back_a_little_is_waited_for() -> None:
    ticks = Ticks()
    clock = FollowedClock(ticks, answer(100, 100, timedelta()))
    shown = clock.now()
    clock.take(answer(100, 100, -SECOND / 2))
    assert clock.now() == shown
    ticks.at += 2
    assert clock.now() == NOON + 1.5 * SECOND


def test_another_clock_that_was_set_back_far_is_followed() -> None:
    clock = FollowedClock(Ticks(), answer(100, 100, timedelta()))
    clock.now()
    assert clock.take(answer(100, 100, -3600 * SECOND)) == -3600 * SECOND
    assert clock.now() == NOON - 3600 * SECOND
