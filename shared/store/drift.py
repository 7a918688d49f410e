"""Drift: what full passes had to correct, read from the changes that name them as their cause."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from shared.resource import ResourceRef
from shared.snapshot import ChangeKind
from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("drift")
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Correction:
    """One kind of difference that a pass found, and how often."""

    change: ChangeKind
    field: str | None
    """None except for UPDATED."""
    count: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """One difference of one object that a pass found."""

    ref: ResourceRef
    at: datetime
    change: ChangeKind
    field: str | None
    old: str | None
    """As JSON, cut to 200 characters; likewise `new`."""
    new: str | None
    object: Mapping[str, Any]
    """The fields of the object that were asked for."""
    under_way: bool
    """An event about the object came about then, or later: the pass was only faster."""


class Drift:
    """Reads what full passes corrected."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_pass(self, pass_id: UUID, *, since: datetime | None = None) -> list[Correction]:
        """Return what one pass has corrected so far; what vanished is buried after its end.

        Since a moment, if given: of one that is gone on with.
        """
        rows = await self._database.fetch(_SQL["of_pass"], str(pass_id), since)
        return [Correction(ChangeKind(row["change"]), row["field"], row["count"]) for row in rows]

    async def corrections(
        self, pass_id: UUID, *, fields: Sequence[str], under_way: timedelta
    ) -> AsyncIterator[Corrected]:
        """Yield everything that one pass corrected, the differences of one object together.

        `under_way` is how long an event may have been on its way when the pass read its object.
        """
        place: tuple[str, int] = ("", 0)
        while True:
            rows = await self._database.fetch(
                _SQL["corrections"], str(pass_id), *place, list(fields), under_way, _AT_ONCE
            )
            for row in rows:
                yield _corrected(row)
            if len(rows) < _AT_ONCE:
                return
            place = (rows[-1]["resource_id"], rows[-1]["number"])


def _corrected(row: asyncpg.Record) -> Corrected:
    return Corrected(
        ref=ResourceRef(row["cloud"], row["kind"], row["resource_id"]),
        at=row["at"],
        change=ChangeKind(row["change"]),
        field=row["field"],
        old=row["old"],
        new=row["new"],
        object=orjson.loads(row["fields"] or "{}"),
        under_way=row["under_way"],
    )
