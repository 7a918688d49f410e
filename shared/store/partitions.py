"""The weekly partitions of the timeline: made when first written to, dropped by retention.

Only believable times get a partition; the rest goes to the default one, `events_outlying`, so that
a service with a broken clock cannot make thousands of tables.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("partitions")
_PAST = timedelta(weeks=5 * 52)
_FUTURE = timedelta(weeks=2)
_BLOCKS_AT_ONCE = 1000  # 8 MB, some 80 000 ids


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

    async def _forget_ids(self, before: datetime) -> None:
        """Delete the ids of events before a moment, in steps that each take well under a second."""
        blocks = await self._database.fetch_value(_SQL["id_blocks"])
        for first in range(0, blocks, _BLOCKS_AT_ONCE):
            end = first + _BLOCKS_AT_ONCE
            await self._database.execute(_SQL["forget_ids"], first, end, before)


def monday(time: datetime) -> date:
    """Return the first day (UTC) of the week of `time`."""
    day = time.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())
