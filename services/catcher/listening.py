"""What is heard of a cloud: when something came last, whether silence alarms, what was missed.

Kept in PostgreSQL with the checkpoints, so that a restart does not have to learn it again. Copies
that read at the same time hear a part each, and keep there what they heard together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from services.catcher.rhythm import Rhythm
from shared.event import Event
from shared.store.checkpoints import Checkpoints
from shared.store.database import Database

_PLACE = "listening"
"""Where it stands among the cloud's checkpoints."""


async def saved_of(database: Database, cloud: str) -> Mapping[str, Any] | None:
    """Return what was learnt of a cloud so far; raises StoreUnavailable."""
    return await Checkpoints(database).load(cloud, _PLACE)


class Listener:
    """Listens to one cloud, whichever source is read."""

    def __init__(
        self,
        cloud: str,
        rhythm: Rhythm,
        *,
        missed_since: datetime | None = None,
        last_by_way: Mapping[str, datetime] | None = None,
    ) -> None:
        self.cloud = cloud
        self.missed_since = missed_since
        """When the last event had come before a gap that nobody has filled yet."""
        self._shared_missed = missed_since
        """What of `missed_since` stands in PostgreSQL for this copy."""
        self._rhythm = rhythm
        self._last_by_way = dict(last_by_way or {})
        self._gaps = 0

    @classmethod
    async def restored(cls, database: Database, cloud: str, *, now: datetime) -> "Listener":
        """Return what was learnt of a cloud so far; raises StoreUnavailable."""
        listener = cls(cloud, Rhythm(now))
        if (saved := await saved_of(database, cloud)) is not None:
            listener.learn(saved)
        return listener

    def learn(self, saved: Mapping[str, Any]) -> None:
        """Take over what was learnt before, or by the copy that reads the cloud."""
        self._rhythm = Rhythm.restored(saved["rhythm"])
        self.missed_since = self._shared_missed = _missed_in(saved)
        self._last_by_way = _last_by_way_in(saved)

    async def share(self, database: Database, *, now: datetime) -> None:
        """Keep what was learnt, together with what others learnt; raises StoreUnavailable."""
        missed = self.missed_since
        join = partial(self._joined, missed)
        await Checkpoints(database).change(self.cloud, _PLACE, join, now=now)
        self._shared_missed = missed

    def _joined(self, missed: datetime | None, saved: Mapping[str, Any] | None) -> dict[str, Any]:
        """Take over what others heard, of what is kept; return what is to be kept now.

        What another missed it fills itself. It is only not written over, for its next start.
        """
        if saved is not None:
            self._rhythm = self._rhythm.joined(Rhythm.restored(saved["rhythm"]))
            for way, last in _last_by_way_in(saved).items():
                self._last_by_way[way] = max(last, self._last_by_way.get(way, last))
            kept = _missed_in(saved)
            if kept is not None and kept != self._shared_missed:
                missed = min(kept, missed or kept)
        return {
            "rhythm": self._rhythm.saved(),
            "missed_since": missed.isoformat() if missed else None,
            "last_by_way": {way: last.isoformat() for way, last in self._last_by_way.items()},
        }

    def heard(self, way: str, events: Sequence[Event], now: datetime) -> None:
        """Note that events came, by which way (amqp, panko, ...)."""
        if events:
            self._rhythm = self._rhythm.heard(now)
            self._last_by_way[way] = now

    def heard_elsewhere(self, way: str) -> datetime | None:
        """Return when something came last by another way; None when this one was the last.

        Only what came counts: up to there nothing is left that this way would have to read.
        """
        others = [last for other, last in self._last_by_way.items() if other != way]
        here = self._last_by_way.get(way)
        last = max(others, default=None)
        return last if last is not None and (here is None or here < last) else None

    def missed(self, now: datetime) -> None:
        """Note that something may have been missed between the last that came and `now`."""
        self._gaps += 1
        if self.missed_since is None:
            self.missed_since = self._rhythm.last or now

    @property
    def gaps(self) -> int:
        """How many gaps were noted; tells whether one came while another was filled."""
        return self._gaps

    def filled(self, gaps: int) -> None:
        """Note that what was missed up to that number of gaps has been read elsewhere."""
        if gaps == self._gaps:
            self.missed_since = None

    @property
    def last(self) -> datetime | None:
        """When something came last."""
        return self._rhythm.last

    def silent_for(self, now: datetime) -> timedelta | None:
        """Return for how long nothing has come when that is alarming, else None."""
        return self._rhythm.silent(now)


def _missed_in(saved: Mapping[str, Any]) -> datetime | None:
    missed = saved["missed_since"]
    return datetime.fromisoformat(missed) if missed else None


def _last_by_way_in(saved: Mapping[str, Any]) -> dict[str, datetime]:
    return {way: datetime.fromisoformat(last) for way, last in saved["last_by_way"].items()}
