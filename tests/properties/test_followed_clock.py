"""However answers are delayed and clocks drift: the followed time is right within what it claims.

A world has one true clock, the other machine's, and copies whose ticks began at any moment and run
a little faster or slower.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.followed_clock import DRIFT, FollowedClock, Sample
from tests.support.events import NOON

ROUNDING = timedelta(microseconds=3)
"""What the microseconds of `datetime` may swallow."""


@dataclass
class World:
    """What the other clock shows, and one copy's ticks beside it."""

    pace: float
    """Ticks of the copy for each second of the other clock."""
    began: float
    """The copy's tick at the beginning."""
    seconds: float = 0.0
    """Of the other clock, since the beginning."""
    shift: timedelta = timedelta()
    """By how much the other clock was set."""

    @property
    def time(self) -> timedelta:
        return timedelta(seconds=self.seconds) + self.shift

    def ticks(self) -> float:
        return self.began + self.seconds * self.pace

    def ask(self, way: "Way") -> Sample:
        """Let the clock be asked, and time pass by that."""
        self.seconds += way.pause
        asked = self.ticks()
        self.seconds += way.there
        told = NOON + self.time
        self.seconds += way.back
        return Sample(asked, self.ticks(), told)


@dataclass(frozen=True)
class Way:
    """What one question takes, in seconds."""

    pause: float
    there: float
    back: float


SECONDS = st.floats(0, 30)
WAYS = st.builds(Way, st.floats(0, 3600), SECONDS, SECONDS)
# Each of two clocks is slewed by half of it.
PACES = st.floats(1 - DRIFT * 0.99, 1 + DRIFT * 0.99)
# More than answers that took a minute each can be wrong by, and an hour's drift.
_SHIFT = st.timedeltas(timedelta(minutes=2), timedelta(days=400))
SHIFTS = _SHIFT | _SHIFT.map(lambda shift: -shift)
WORLDS = st.builds(World, PACES, st.floats(-1e6, 1e6))


def following(world: World, first: Way) -> FollowedClock:
    return FollowedClock(world.ticks, world.ask(first))


@given(WORLDS, st.lists(WAYS, min_size=1, max_size=12), st.floats(0, 1e5))
def test_the_time_is_wrong_by_no_more_than_it_says(
    world: World, ways: Sequence[Way], later: float
) -> None:
    clock = following(world, ways[0])
    for way in ways[1:]:
        clock.take(world.ask(way))
    world.seconds += later
    off = abs(clock.now() - (NOON + world.time))
    assert off <= timedelta(seconds=clock.error_seconds) + ROUNDING


@given(WORLDS, st.lists(WAYS, min_size=1, max_size=12))
def test_no_answer_makes_it_less_certain(world: World, ways: Sequence[Way]) -> None:
    clock = following(world, ways[0])
    for way in ways[1:]:
        sample = world.ask(way)
        before = clock.error_seconds
        clock.take(sample)
        assert clock.error_seconds <= min(before, sample.error_at(world.ticks()))


@given(WORLDS, WORLDS, WAYS, WAYS, st.floats(0, 1e5))
def test_copies_agree_whatever_their_machines_believe(
    one: World, two: World, first: Way, second: Way, later: float
) -> None:
    a, b = following(one, first), following(two, second)
    one.seconds = two.seconds = max(one.seconds, two.seconds) + later
    claimed = timedelta(seconds=a.error_seconds + b.error_seconds)
    assert abs(a.now() - b.now()) <= claimed + ROUNDING


@given(WORLDS, st.lists(WAYS, min_size=1, max_size=12))
def test_it_does_not_go_back_while_the_other_does_not(world: World, ways: Sequence[Way]) -> None:
    clock = following(world, ways[0])
    shown = [clock.now()]
    for way in ways[1:]:
        clock.take(world.ask(way))
        shown.append(clock.now())
    assert shown == sorted(shown)


@given(WORLDS, WAYS, WAYS, SHIFTS)
def test_a_clock_that_was_set_is_followed_from_the_next_answer(
    world: World, first: Way, second: Way, shift: timedelta
) -> None:
    clock = following(world, first)
    clock.now()
    world.shift = shift
    clock.take(world.ask(second))
    off = abs(clock.now() - (NOON + world.time))
    assert off <= timedelta(seconds=clock.error_seconds) + ROUNDING
