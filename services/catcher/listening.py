"""What is heard of a cloud: when something came last, whether silence alarms, what was missed.

Kept in PostgreSQL with the checkpoints, so that a restart does not have to learn it again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.catcher.rhythm import Rhythm
from shared.event import Event
from shared.store.checkpoints import Checkpoints
from shared.store.database import Database

_PLACE = "listening"
"""Where it stands among the cloud's checkpoints."""


class Listener:
    """Listens to one cloud, whichever source is read."""

    def __init__(self, cloud: str, rhythm: Rhythm) -> None:
        self.cloud = cloud
        self.missed_since: datetime | None = None
        """When the last event had come before a gap that nobody has filled yet."""
        self._rhythm = rhythm

    @classmethod
    async def restored(cls, database: Database, cloud: str, *, now: datetime) -> "Listener":
        """Return what was learnt of a cloud so far; raises StoreUnavailable."""
        saved = await Checkpoints(database).load(cloud, _PLACE)
        return cls(cloud, Rhythm(now) if saved is None else Rhythm.restored(saved))

    async def save(self, database: Database, *, now: datetime) -> None:
        """Keep what was learnt; raises StoreUnavailable."""
        await Checkpoints(database).save(self.cloud, _PLACE, self._rhythm.saved(), now=now)

    def heard(self, events: Sequence[Event], now: datetime) -> None:
        """Note that events came (our own ones do not count)."""
        if events:
            self._rhythm = self._rhythm.heard(now)

    def missed(self, now: datetime) -> None:
        """Note that something may have been missed between the last that came and `now`."""
        if self.missed_since is None:
            self.missed_since = self._rhythm.last or now

    def filled(self) -> None:
        """Note that what was missed has been read elsewhere."""
        self.missed_since = None

    @property
    def last(self) -> datetime | None:
        """When something came last."""
        return self._rhythm.last

    def silent_for(self, now: datetime) -> timedelta | None:
        """Return for how long nothing has come when that is alarming, else None."""
        return self._rhythm.silent(now)
