"""What a rule remembers of one key, and the moments at which it must come back to it.

Times are whole microseconds since the epoch: exact, cheap to compare, plain in JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime | timedelta) -> int:
    """Return a moment, or a duration, in microseconds."""
    span = moment - _EPOCH if isinstance(moment, datetime) else moment
    return span // _MICROSECOND


def moment_of(micros_: int) -> datetime:
    """Return the moment of a number of microseconds."""
    return _EPOCH + timedelta(microseconds=micros_)


class StateKey(NamedTuple):
    """Names one piece of state."""

    rule: str
    key: str


class Pending(NamedTuple):
    """An event that a rule waits over."""

    time: int
    """The event's own."""
    due: int
    """When the wait is over, by the decision clock."""
    cloud: str
    id: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """The memory of one rule for one key; empty for one that was never seen."""

    touched: int = 0
    """The decision clock when something last changed here."""
    fired: tuple[int, ...] = ()
    """When it fired lately, by the decision clock; oldest first."""
    pending: tuple[Pending, ...] = ()
    times: tuple[int, ...] = ()
    """Times of events, sorted: those counted, the partners seen, or the latest one alone."""
    others: tuple[int, ...] = ()
    """The same of versioned events, where the forms of a fact are paired."""

    @property
    def due(self) -> int | None:
        """When the first wait is over."""
        return min((each.due for each in self.pending), default=None)

    def dump(self) -> str:
        """Return it as JSON."""
        return orjson.dumps(
            {
                "touched": self.touched,
                "fired": self.fired,
                "pending": [tuple(each) for each in self.pending],
                "times": self.times,
                "others": self.others,
            }
        ).decode()

    @classmethod
    def load(cls, text: str) -> "KeyState":
        """Return what `dump` wrote."""
        value = orjson.loads(text)
        return cls(
            value["touched"],
            tuple(value["fired"]),
            tuple(Pending(*each) for each in value["pending"]),
            tuple(value["times"]),
            tuple(value["others"]),
        )


EMPTY = KeyState()


@dataclass(frozen=True, slots=True)
class Running:
    """The stretches of time in which the clock of the rules ran, oldest first, as (from, to).

    While no processor runs, or while all are behind with their reading, what a rule waits for may
    be there already, unread; so the clock stands still then, and a wait that would have been over
    meanwhile is over when it goes on.
    """

    stretches: tuple[tuple[int, int], ...] = ()
    """Empty: it always ran."""

    def over(self, due: int) -> int | None:
        """Return when a wait until `due` is over; None while that cannot be told yet."""
        if not self.stretches or due < self.stretches[0][0]:
            return due
        for began, ended in self.stretches:
            if due <= ended:
                # Later than what was decided before the clock went on, if only just.
                return due if due > began else began + 1
        return None


ALWAYS = Running()


def kept_latest(times: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the `most` latest of sorted times."""
    return tuple(times[-most:])
