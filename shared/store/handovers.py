"""Events on their way from a command to the bus that lives within another process.

`osevents up` without RabbitMQ has its bus in its own memory, where no command can reach it; both
reach PostgreSQL. What is put here is durable; who takes it forgets it once the bus has it, so a
crash in between hands it over twice at most.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from shared.codec import SINGLE, decode, encode
from shared.errors import StoreUnavailable
from shared.event import Event
from shared.store.database import Database
from shared.store.statements import statements

MOST_WAITING = 50_000
"""More are refused: somebody has to take them first."""

_SQL = statements("handovers")


@dataclass(frozen=True, slots=True)
class Handed:
    """Events for everybody (`group` None), or for one group of consumers, in order."""

    group: str | None
    events: tuple[Event, ...]


class Handovers:
    """Where commands put events and the process with the bus takes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, events: Sequence[Event], group: str | None, *, now: datetime) -> None:
        """Leave events for the bus; raises StoreUnavailable while too many wait."""
        waiting = await self._database.fetch_value(_SQL["waiting"], MOST_WAITING)
        if waiting >= MOST_WAITING:
            raise StoreUnavailable(
                f"{waiting} events wait for the bus of `osevents up` already; is it running?"
            )
        bodies = [encode(event) for event in events]
        await self._database.execute(_SQL["put"], group, bodies, now)

    async def take(self, most: int, give: Callable[[Handed], Awaitable[None]]) -> int:
        """Hand the oldest to `give`, then forget them; return how many that were.

        When `give` raises, all of them are there again.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_SQL["take"], most)
            for group, some in groupby(rows, key=lambda row: row["for_group"]):
                events = tuple(decode(row["event"], SINGLE)[0] for row in some)
                await give(Handed(group, events))
            await connection.execute(_SQL["forget"], [row["number"] for row in rows])
        return len(rows)
