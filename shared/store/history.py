"""The history of the inventory: how objects were, and what else changed around a moment."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.resource import ResourceRef
from shared.snapshot import Change
from shared.store.database import Database
from shared.store.past import undone
from shared.store.resource_columns import change_of
from shared.store.resource_row import ResourceRow
from shared.store.statements import statements

_SQL = statements("history")


@dataclass(frozen=True, slots=True)
class ChangeNearby:
    """A change that came about at the same time as another."""

    change: Change
    name: str | None
    """Of the resource."""
    linked: bool
    """It is one of those asked for; False: only of the same project."""


class History:
    """Reads the changes of many resources at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begins(self, cloud: str) -> datetime | None:
        """Return since when changes of a cloud are remembered; None when there are none."""
        begins = await self._database.fetch_value(_SQL["begins"], cloud)
        assert begins is None or isinstance(begins, datetime), "a column of timestamps"
        return begins

    async def as_of(self, rows: Sequence[ResourceRow], at: datetime) -> list[ResourceRow]:
        """Return how resources of one kind were at `at`, in the order given.

        Without those that did not live then. See `shared.store.past` for what the history keeps.
        """
        if not rows:
            return []
        refs = [row.ref for row in rows]
        found = await self._database.fetch(
            _SQL["since"], refs[0].kind, [ref.cloud for ref in refs], [ref.id for ref in refs], at
        )
        later: defaultdict[ResourceRef, list[Change]] = defaultdict(list)
        for one in found:
            change = change_of(one)
            later[change.ref].append(change)
        then = (undone(row, later[row.ref]) for row in rows if row.seen_at or row.told_at)
        return [row for row in then if row is not None]

    async def around(
        self,
        cloud: str,
        since: datetime,
        until: datetime,
        refs: Sequence[ResourceRef],
        *,
        project: str | None,
        most: int,
    ) -> list[ChangeNearby]:
        """Return up to `most` changes of `refs` and of a project between two moments."""
        rows = await self._database.fetch(
            _SQL["around"],
            cloud,
            since,
            until,
            [ref.kind for ref in refs],
            [ref.id for ref in refs],
            project,
            most,
        )
        return [ChangeNearby(change_of(row), row["name"], row["linked"]) for row in rows]
