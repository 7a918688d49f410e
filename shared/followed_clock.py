"""A clock that follows another machine's, which can only be asked now and then: pure.

Between the answers it goes by ticks that nobody sets, so that it is all the same what time of day
this machine believes in. An answer was right at some moment between the question and its arrival.
It is taken to have been the middle: wrong by half the round trip at most, and by what the two
clocks have drifted apart since. So the answer that came quickest is gone by until it is too old.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Ticks = Callable[[], float]
"""Seconds since some moment, at a steady pace and never back: `time.monotonic`."""

DRIFT = 0.001
"""By how many seconds two clocks part within a second at most: each is slewed by up to 500
millionths (`MAXFREQ` in Linux' `include/linux/timex.h`)."""
STANDS_STILL = timedelta(seconds=1)
"""For how long the clock waits for another that was set back."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the other clock."""

    asked: float
    """The tick before the question was sent."""
    answered: float
    """The tick after the answer arrived."""
    told: datetime

    def time_at(self, tick: float) -> datetime:
        """Return the other clock's time at a tick, as this answer has it."""
        return self.told + timedelta(seconds=tick - self._middle)

    def error_at(self, tick: float) -> float:
        """Return by how many seconds that is wrong at most, at a tick since it arrived."""
        return (self.answered - self.asked) / 2 + DRIFT * (tick - self.asked)

    @property
    def _middle(self) -> float:
        return (self.asked + self.answered) / 2


def better(known: Sample, fresh: Sample) -> Sample:
    """Return which of two answers to go by, now that `fresh` has arrived."""
    if contradict(known, fresh):
        return fresh
    return min(fresh, known, key=lambda sample: sample.error_at(fresh.answered))


def contradict(known: Sample, fresh: Sample) -> bool:
    """Tell whether two answers cannot both be right: the other clock was set in between."""
    tick = fresh.answered
    apart = abs(known.time_at(tick) - fresh.time_at(tick)).total_seconds()
    return apart > known.error_at(tick) + fresh.error_at(tick)


class FollowedClock:
    """A `shared.clock.Clock` with the time of another machine.

    It does not go back: where it finds itself ahead, it stands still until the other has caught up.
    Only when the other was set back by more than `STANDS_STILL` it goes along: copies of a service
    have to agree above all, and those that start later know nothing of the time before.
    """

    def __init__(self, ticks: Ticks, first: Sample) -> None:
        self._ticks = ticks
        self._sample = first
        self._latest = _NEVER

    def now(self) -> datetime:
        """Return the other clock's present time, aware and in UTC."""
        self._latest = max(self._latest, self._sample.time_at(self._ticks()))
        return self._latest

    @property
    def error_seconds(self) -> float:
        """By how much that is wrong at most, unless the other was set since it was asked."""
        return self._sample.error_at(self._ticks())

    def take(self, sample: Sample) -> timedelta:
        """Go by a further answer if it is better; return by how much that moved the clock."""
        before, tick = self._sample, sample.answered
        self._sample = better(before, sample)
        moved = self._sample.time_at(tick) - before.time_at(tick)
        if contradict(before, sample) and moved < -STANDS_STILL:
            self._latest = _NEVER
        return moved
