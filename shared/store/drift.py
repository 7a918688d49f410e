"""Drift: what full passes had to correct, read from the changes that name them as their cause."""

from dataclasses import dataclass
from uuid import UUID

from shared.snapshot import ChangeKind
from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("drift")


@dataclass(frozen=True, slots=True)
class Correction:
    """One kind of difference that a pass found, and how often."""

    change: ChangeKind
    field: str | None
    """None except for UPDATED."""
    count: int


class Drift:
    """Reads what full passes corrected."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_pass(self, pass_id: UUID) -> list[Correction]:
        """Return what one pass has corrected so far; what vanished is buried after its end."""
        rows = await self._database.fetch(_SQL["of_pass"], str(pass_id))
        return [Correction(ChangeKind(row["change"]), row["field"], row["count"]) for row in rows]
