"""The latest word of each running copy of a service, for `osevents status` and its like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("status")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What one copy said last."""

    service: str
    instance: str
    cloud: str | None
    """None for figures that are not about one cloud."""
    at: datetime
    figures: Mapping[str, Any]


class Heartbeats:
    """Where copies report and others look."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(
        self,
        service: str,
        instance: str,
        figures: Mapping[str, Any],
        *,
        now: datetime,
        cloud: str | None = None,
    ) -> None:
        """Replace this copy's figures (a JSON object)."""
        text = orjson.dumps(dict(figures)).decode()
        await self._database.execute(_SQL["report"], service, instance, cloud or "", now, text)

    async def latest(self, since: datetime) -> list[Heartbeat]:
        """Return what every copy said last that spoke at or after `since`."""
        return [
            Heartbeat(
                row["service"],
                row["instance"],
                row["cloud"] or None,
                row["at"],
                orjson.loads(row["figures"]),
            )
            for row in await self._database.fetch(_SQL["latest"], since)
        ]

    async def purge(self, before: datetime) -> int:
        """Forget copies that have been silent since before a moment; return how many rows."""
        return await self._database.execute(_SQL["purge"], before)
