"""The timeline as a whole: how much came lately, how late, and what was not understood."""

from dataclasses import dataclass
from datetime import datetime

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("summary")


@dataclass(frozen=True, slots=True)
class Recent:
    """The events of one cloud since a moment."""

    cloud: str
    events: int
    newest: datetime
    lag_median_seconds: float
    """From the event's own time to its row."""
    lag_p99_seconds: float


@dataclass(frozen=True, slots=True)
class UnknownType:
    """An event type that no catalogue entry names."""

    cloud: str
    type: str
    events: int


class Summary:
    """Reads over many events at once; bounded by time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, since: datetime) -> list[Recent]:
        """Return the figures of every cloud that had an event since then."""
        rows = await self._database.fetch(_SQL["recent"], since)
        return [Recent(**dict(row)) for row in rows]

    async def unknown_types(self, since: datetime, *, most: int = 20) -> list[UnknownType]:
        """Return the unknown types since then, the most frequent first."""
        rows = await self._database.fetch(_SQL["unknown_types"], since, most)
        return [UnknownType(**dict(row)) for row in rows]

    async def newest(self, since: datetime) -> dict[tuple[str, str], datetime]:
        """Return when the newest event of each (cloud, service) happened, where one did."""
        rows = await self._database.fetch(_SQL["newest"], since)
        return {(row["cloud"], row["service"]): row["newest"] for row in rows}

    async def server_version(self) -> int:
        """Return PostgreSQL's version as a number: 140011 is 14.11."""
        return int(await self._database.fetch_value(_SQL["server_version"]))
