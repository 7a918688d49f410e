"""What is heard of a cloud: when something came last, whether silence alarms, what was missed.

Kept in PostgreSQL with the checkpoints, so that a restart does not have to learn it again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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
        missed = saved["missed_since"]
        self._rhythm = Rhythm.restored(saved["rhythm"])
        self.missed_since = datetime.fromisoformat(missed) if missed else None
        self._last_by_way = {
            way: datetime.fromisoformat(last) for way, last in saved["last_by_way"].items()
        }

    async def save(self, database: Database, *, now: datetime) -> None:
        """Keep what was learnt; raises StoreUnavailable."""
        told = {
            "rhythm": self._rhythm.saved(),
            "missed_since": self.missed_since.isoformat() if self.missed_since else None,
            "last_by_way": {way: last.isoformat() for way, last in self._last_by_way.items()},
        }
        await Checkpoints(database).save(self.cloud, _PLACE, told, now=now)

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
