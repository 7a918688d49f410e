"""The weekly partitions of the timeline: made when first written to, dropped by retention.

Only believable times get a partition; the rest goes to the default one, `events_outlying`, so that
a service with a broken clock cannot make thousands of tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("partitions")
_PAST = timedelta(weeks=5 * 52)
_FUTURE = timedelta(weeks=2)
_WEEK = timedelta(weeks=1)
_ROWS_AT_ONCE = 5000
_BLOCKS_AT_ONCE = 1000  # 8 MB, some 80 000 ids


@dataclass(frozen=True, slots=True)
class Week:
    """One weekly partition."""

    name: str
    begins: datetime
    bytes: int
    """On disk, indexes included."""


class Partitions:
    """Knows which partitions exist, so that a writer asks only once a week."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[date] = set()

    async def ensure(self, times: Iterable[datetime], *, now: datetime) -> None:
        """Make the partitions that rows of these times belong to; safe in concurrent calls."""
        weeks = {monday(time) for time in times if now - _PAST <= time <= now + _FUTURE}
        if missing := sorted(weeks - self._known):
            moments = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in missing]
            await self._database.execute(_SQL["create"], moments)
            self._known.update(missing)

    async def purge(self, before: datetime) -> list[str]:
        """Drop the weeks that ended before a moment; return the names of their partitions.

        The ids of their events go after them: an event delivered again in between stays refused.
        """
        week = datetime.combine(monday(before), datetime.min.time(), UTC)
        names = [str(row["relname"]) for row in await self._database.fetch(_SQL["past"], week)]
        for name in names:
            await self._database.execute(_SQL["drop"], name)
        outlying = await self._database.execute(_SQL["delete_outlying"], week)
        if names or outlying:
            await self._forget_ids(week)
        self._known.clear()
        return names

    async def weeks(self) -> list[Week]:
        """Return every week that has a partition, oldest first."""
        rows = await self._database.fetch(_SQL["weeks"])
        return [Week(row["name"], row["begins"], row["bytes"]) for row in rows]

    async def shrink(self, most_bytes: int, *, now: datetime) -> list[str]:
        """Drop the oldest weeks until all take `most_bytes`; return the names of their partitions.

        The week that is being written is never dropped.
        """
        too_many = surplus(await self.weeks(), most_bytes, now=now)
        return await self.purge(too_many[-1].begins + _WEEK) if too_many else []

    async def forget_category(self, category: str, before: datetime) -> int:
        """Delete the events of a category from before a moment; return how many.

        In batches that each take well under a second. The space is used again by what is written
        to the same week; a week that ended gives it back when it is dropped.
        """
        deleted = 0
        for week in await self.weeks():
            while week.begins < before:
                batch = await self._database.fetch_value(
                    _SQL["forget_category"],
                    category,
                    week.begins,
                    week.begins + _WEEK,
                    before,
                    _ROWS_AT_ONCE,
                )
                deleted += batch
                if batch < _ROWS_AT_ONCE:
                    break
        return deleted

    async def _forget_ids(self, before: datetime) -> None:
        """Delete the ids of events before a moment, in steps that each take well under a second."""
        blocks = await self._database.fetch_value(_SQL["id_blocks"])
        for first in range(0, blocks, _BLOCKS_AT_ONCE):
            end = first + _BLOCKS_AT_ONCE
            await self._database.execute(_SQL["forget_ids"], first, end, before)


def surplus(weeks: Sequence[Week], most_bytes: int, *, now: datetime) -> list[Week]:
    """Return the oldest of `weeks` (oldest first) that have to go for the rest to take so much.

    Not the week of `now`, nor later ones.
    """
    total = sum(week.bytes for week in weeks)
    going: list[Week] = []
    for week in weeks:
        if total <= most_bytes or week.begins.date() >= monday(now):
            break
        going.append(week)
        total -= week.bytes
    return going


def monday(time: datetime) -> date:
    """Return the first day (UTC) of the week of `time`."""
    day = time.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())
