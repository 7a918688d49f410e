"""What rules remember, and their clock. What a state means is the business of who decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from shared.store.database import Connection, Database, columns
from shared.store.statements import statements

_SQL = statements("rules")
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """The state of one rule for one key, as it stands in the database."""

    rule: str
    key: str
    digest: str
    """Of the part of the rule that gives `state` its meaning."""
    state: str | None
    """JSON; None before the first decision."""
    decided_at: datetime | None
    """The latest decision; None before the first."""
    due_at: datetime | None = None
    """When the first wait is over."""
    forget_at: datetime | None = None
    """From when on it makes no difference any more; needed to save it."""


@dataclass(frozen=True, slots=True)
class StateCounts:
    """How much is remembered."""

    states: int
    waiting: int
    first_due: datetime | None


class RuleStates:
    """Keeps the states of rules.

    What takes a connection is to be called within a transaction, whose end decides.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    async def lock(connection: Connection, keys: Iterable[tuple[str, str]]) -> list[StoredState]:
        """Return the states of (rule, key) pairs, locked until the end of the transaction.

        Those that did not exist do now, without a state. Callers that lock all they need in one
        call never wait for each other in a circle.
        """
        wanted = sorted(set(keys))
        rows = await connection.fetch(_SQL["lock"], *columns(wanted, 2))
        return [_stored(row) for row in rows]

    @staticmethod
    async def claim_due(
        connection: Connection, rules: Sequence[str], now: datetime, *, most: int
    ) -> list[StoredState]:
        """Return states of these rules whose first wait is over, locked; waits for nobody."""
        rows = await connection.fetch(_SQL["claim_due"], now, list(rules), most)
        return [_stored(row) for row in rows]

    @staticmethod
    async def save(connection: Connection, states: Sequence[StoredState]) -> None:
        """Write states that were locked in this transaction."""
        rows = [
            (
                each.rule,
                each.key,
                each.digest,
                each.state,
                each.decided_at,
                each.due_at,
                each.forget_at,
            )
            for each in states
        ]
        if rows:
            await connection.execute(_SQL["save"], *columns(rows, 7))

    async def forget(self, now: datetime) -> int:
        """Forget some of what makes no difference any more; return how many there were."""
        return await self._database.execute(_SQL["forget"], now, _AT_ONCE)

    async def counts(self) -> StateCounts:
        """Return how much is remembered."""
        row = await self._database.fetch_row(_SQL["counts"])
        assert row is not None, "an aggregate has one row"
        return StateCounts(row["states"], row["waiting"], row["first_due"])


class RuleClock:
    """When a processor was there to end the waits of rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def go_on(self, now: datetime, *, within: timedelta) -> None:
        """Say that it runs now; it ran since it was last said when that is not longer ago."""
        await self._database.execute(_SQL["go_on"], now, within)

    @staticmethod
    async def stretches(connection: Connection) -> list[tuple[datetime, datetime]]:
        """Return when it ran, oldest first, from the first to the last time it was said."""
        rows = await connection.fetch(_SQL["stretches"])
        return [(row["began"], row["ended"]) for row in rows]

    async def forget(self, before: datetime) -> int:
        """Forget stretches from before a moment, but the latest; return how many there were."""
        return await self._database.execute(_SQL["forget_stretches"], before)


def _stored(row: asyncpg.Record) -> StoredState:
    return StoredState(
        rule=row["rule"],
        key=row["key"],
        digest=row["digest"],
        state=row["state"],
        decided_at=row["decided_at"],
    )
