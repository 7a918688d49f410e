"""One pass over the events of a span of time, page by page: pure.

Two ways, by what the API can do. Panko has a `marker`: each page begins behind the last event of
the one before. Ceilometer has none, and its order is the business of its database: a window of
time is asked for, and what comes is complete when it is less than the limit; otherwise the window
is made smaller, down to a single instant, of which more and more is asked for.

Both begin and end with an event of the span included, so events with equal times need no care.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

TICK = timedelta(microseconds=1)
"""The finest difference of two times in any database behind these APIs."""
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
"""OpenStack's first release: where a window begins that has no beginning."""


class Item(NamedTuple):
    """One entry of a page."""

    key: str
    """Tells it from all others: its `message_id`, or a digest of what came without one."""
    id: str | None
    generated: datetime | None
    """None where the API said nothing that can be read as a time."""
    content: Any
    """As the API gave it."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which events to ask for: generated within [since, until], oldest first."""

    since: datetime | None
    """None: from the oldest on."""
    until: datetime | None
    """None: up to the newest."""
    limit: int
    after: str | None = None
    """Only what comes behind the event with this `message_id` (`marker`)."""


class Step(NamedTuple):
    """What a page came to."""

    items: tuple[Item, ...]
    covered: datetime | None
    """All of the span up to here, itself included perhaps only in part, was asked for by now; None
    when that is the whole span."""
    rest: "Sweep | None"
    """What is still to be asked for; None at the end."""


class Sweep(Protocol):
    """What is still to be asked for of a span."""

    def query(self, limit: int) -> Query:
        """Return what to ask for next; pages of about `limit`."""
        ...

    def take(self, page: Sequence[Item], query: Query, now: datetime) -> Step:
        """Return what the answer to `query` gave; `now` by our own clock."""
        ...

    def anew(self, now: datetime) -> "Sweep":
        """Return how to go on after a question that failed: without what may have been its fault.

        Events that were handed over may come again.
        """
        ...

    def saved(self) -> Mapping[str, str | None]:
        """Return what `restored` needs to go on from here."""
        ...


@dataclass(frozen=True, slots=True)
class MarkerSweep:
    """Pages that follow each other by marker."""

    since: datetime | None
    until: datetime | None = None
    after: str | None = None
    reached: datetime | None = None
    """When the event was generated that `after` names."""

    def query(self, limit: int) -> Query:
        """See `Sweep`."""
        return Query(self.since, self.until, limit, self.after)

    def take(self, page: Sequence[Item], query: Query, now: datetime) -> Step:  # noqa: ARG002
        """See `Sweep`. A page that is not full is the last one."""
        marker = next((item for item in reversed(page) if item.id is not None), None)
        if len(page) < query.limit or marker is None:
            return Step(tuple(page), None, None)
        reached = marker.generated or self.reached
        return Step(tuple(page), reached, replace(self, after=marker.id, reached=reached))

    def anew(self, now: datetime) -> "MarkerSweep":  # noqa: ARG002
        """See `Sweep`. The event behind a marker may have expired, which Panko answers with 500."""
        return MarkerSweep(self.reached or self.since, self.until)

    def saved(self) -> Mapping[str, str | None]:
        """See `Sweep`."""
        return {
            "since": text_of(self.since),
            "after": self.after,
            "reached": text_of(self.reached),
        }


@dataclass(frozen=True, slots=True)
class WindowSweep:
    """Windows of time that follow each other, each asked for as a whole."""

    since: datetime
    until: datetime | None = None
    width: timedelta | None = None
    """Of the next window; None: all that is left."""
    factor: int = 1
    """How many times the usual limit is asked for; more than 1 for a crowded instant."""

    def query(self, limit: int) -> Query:
        """See `Sweep`."""
        return Query(self.since, self._end(), limit * self.factor)

    def take(self, page: Sequence[Item], query: Query, now: datetime) -> Step:
        """See `Sweep`. Nothing is taken of a window that may not be complete."""
        end = query.until
        if len(page) == query.limit:
            return Step((), self.since - TICK, self._smaller(now, page))
        if end is None or end == self.until:
            return Step(tuple(page), None, None)
        width = self._next_width(len(page) / query.limit, now)
        rest = WindowSweep(
            end + TICK, self.until, None if width is None or end + width >= now else width
        )
        return Step(tuple(page), end, rest)

    def anew(self, now: datetime) -> "WindowSweep":
        """See `Sweep`. The answer may have been too long to come in time."""
        return self._smaller(now) if self.factor == 1 else self

    def saved(self) -> Mapping[str, str | None]:
        """See `Sweep`."""
        return {"since": text_of(self.since)}

    def _end(self) -> datetime | None:
        if self.width is None:
            return self.until
        end = self.since + self.width
        return end if self.until is None else min(end, self.until)

    def _width(self, now: datetime) -> timedelta:
        end = self._end() or max(now, self.since + TICK)
        return end - self.since

    def _next_width(self, share: float, now: datetime) -> timedelta | None:
        """Return the width of the window after one that was filled by `share`."""
        width = self._width(now)
        if not width:
            return None  # what follows a crowded instant is not known
        if share > 1:  # an API without a limit gave more than was meant
            return max(width / share, TICK)
        if share < 1 / 4:
            return width * (2 if share else 16)
        return width

    def _smaller(self, now: datetime, page: Sequence[Item] = ()) -> "WindowSweep":
        """Return a smaller window: half of it, or less where what is in it says how crowded it is.

        Once it is an instant, more is asked for.
        """
        width = self._width(now)
        if not width:
            return replace(self, factor=2 * self.factor)
        latest = max((item.generated for item in page if item.generated), default=None)
        half = timedelta(microseconds=width // TICK // 2)
        if latest is not None:
            half = min(half, max(latest - TICK - self.since, timedelta()))
        return replace(self, width=half)


def text_of(time: datetime | None) -> str | None:
    """Return a time as checkpoints keep it."""
    return None if time is None else time.isoformat()


def time_of(text: str | None) -> datetime | None:
    """Return the time that `text_of` was given."""
    return None if text is None else datetime.fromisoformat(text)
