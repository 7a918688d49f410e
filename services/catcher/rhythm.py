"""How often a source speaks, learnt from itself, and when its silence is alarming. Pure.

A quiet cloud may say nothing for an hour at night; a busy one that says nothing for ten minutes is
broken. So nobody sets a threshold: the longest pause of late is remembered, and a pause that is
several times as long is alarming. What is remembered fades, and an outage counts for no more than
what would have been alarming, so that neither makes a source deaf to trouble for ever.

Copies of the catcher that share a queue hear a part each. They join what they learnt every few
seconds, in any order and as often as they like: each knows the rhythm of the whole, wrong by no
more than the time until one has told and another has asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

FACTOR = 3.0
"""A pause so many times as long as the longest of late is alarming."""
SHORTEST_ALARM = timedelta(minutes=5)
"""No pause below this is alarming, however busy the source is."""
HALF_LIFE = timedelta(days=2)
"""In which the longest pause fades to half; so it stands over a night, and over a weekend."""
LEARNING = timedelta(hours=1)
"""How long a source has to be listened to before its silence means anything."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What was learnt of one source."""

    since: datetime
    """When listening began."""
    last: datetime | None = None
    """When something came last."""
    longest: timedelta = timedelta()
    """The longest pause of late, as it was at `last`."""

    def heard(self, now: datetime) -> "Rhythm":
        """Return the rhythm after something came."""
        pause = max(now - (self.last or self.since), timedelta())
        threshold = self.alarming_after(now)
        usual = pause if threshold is None else min(pause, threshold)
        return replace(self, last=now, longest=max(usual, _faded(self.longest, pause)))

    def joined(self, other: "Rhythm") -> "Rhythm":
        """Return what two copies learnt together of one source, of which each heard a part."""
        ends = [each.last for each in (self, other) if each.last is not None]
        last = max(ends, default=None)
        longest = [
            _faded(each.longest, last - each.last)
            for each in (self, other)
            if last is not None and each.last is not None
        ]
        return Rhythm(
            since=min(self.since, other.since),
            last=last,
            longest=max(longest, default=timedelta()),
        )

    def alarming_after(self, now: datetime) -> timedelta | None:
        """Return from which pause on silence is alarming; None while too little is known."""
        if self.last is None or now - self.since < LEARNING:
            return None
        return max(SHORTEST_ALARM, FACTOR * self.longest)

    def silent(self, now: datetime) -> timedelta | None:
        """Return for how long nothing has come when that is alarming, else None."""
        threshold = self.alarming_after(now)
        if threshold is None or self.last is None:
            return None
        pause = now - self.last
        return pause if pause > threshold else None

    def saved(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "since": self.since.isoformat(),
            "last": self.last.isoformat() if self.last else None,
            "longest_seconds": self.longest.total_seconds(),
        }

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> "Rhythm":
        """Return what `saved` was made from."""
        last = saved["last"]
        return cls(
            since=datetime.fromisoformat(saved["since"]),
            last=datetime.fromisoformat(last) if last else None,
            longest=timedelta(seconds=saved["longest_seconds"]),
        )


def _faded(longest: timedelta, time: timedelta) -> timedelta:
    left: float = 0.5 ** (time / HALF_LIFE)
    return longest * left
