"""How far each source was read, so that the next start goes on from there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("checkpoints")


class Checkpoints:
    """Loads and saves the position of a source; only the source knows what is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, cloud: str, source: str) -> dict[str, Any] | None:
        """Return the position saved last; None at the first start."""
        text = await self._database.fetch_value(_SQL["load"], cloud, source)
        position: dict[str, Any] | None = None if text is None else orjson.loads(text)
        return position

    async def change(
        self,
        cloud: str,
        source: str,
        change: Callable[[dict[str, Any] | None], dict[str, Any]],
        *,
        now: datetime,
    ) -> None:
        """Save what `change` makes of the position saved last; copies take turns.

        But for the first time: of two that find nothing the later counts.
        """
        async with self._database.transaction() as connection:
            text = await connection.fetchval(_SQL["hold"], cloud, source)
            position = change(None if text is None else orjson.loads(text))
            saved = orjson.dumps(position).decode()
            await connection.execute(_SQL["save"], cloud, source, saved, now)

    async def save(
        self, cloud: str, source: str, position: dict[str, Any], *, now: datetime
    ) -> None:
        """Save `position` (a JSON object); call it only when what lies before it is confirmed."""
        text = orjson.dumps(position).decode()
        await self._database.execute(_SQL["save"], cloud, source, text, now)
