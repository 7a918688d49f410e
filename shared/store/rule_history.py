"""The timeline as rules went through it: whole events, in the order of the decisions."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.event import Event, Occasion
from shared.store.database import Connection, Database
from shared.store.statements import statements
from shared.store.timeline_rows import timeline_row

_SQL = statements("rules")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """An event of the timeline, and when it was decided about."""

    event: Event
    at: datetime
    """The decision clock; those of one transaction share it."""


class RuleHistory:
    """Reads events as rules see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[list[Decided]]:
        """Yield the events that happened from `since` to before `until`, in parts, in order.

        The order is that of the decisions: by `recorded_at`, within one by time, cloud and id.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.cursor(_SQL["history"], since, until)
            while rows := await cursor.fetch(_AT_ONCE):
                yield [_decided(row) for row in rows]

    async def named(self, event_id: str) -> list[Decided]:
        """Return the events of an id, one for each cloud that has it."""
        rows = await self._database.fetch(_SQL["named"], event_id)
        return [_decided(row) for row in rows]

    @staticmethod
    async def events(connection: Connection, ids: Sequence[tuple[str, str]]) -> list[Event]:
        """Return the events of these (cloud, id) pairs that are still there."""
        clouds, names = [cloud for cloud, _ in ids], [id_ for _, id_ in ids]
        return [
            _decided(row).event for row in await connection.fetch(_SQL["events"], clouds, names)
        ]


def _decided(row: asyncpg.Record) -> Decided:
    event = timeline_row(row).event(Occasion(row["occasion"] or Occasion.NEWS))
    return Decided(event, row["recorded_at"])
