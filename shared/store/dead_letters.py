"""Dead letters in the database: kept once, listed, sent back to where they died, or dropped.

Sending back is asked for here and done by a processor, which has the bus: so it works the same with
a broker and within one process, and a wish survives whatever is down at the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import asyncpg

from shared.dead_letter import DeadLetter
from shared.store.database import Connection, Database, columns, rows_touched
from shared.store.statements import statements

_SQL = statements("dead_letters")
_SEPARATOR = b"\x1f"


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter with the number that the operator calls it by."""

    number: int
    letter: DeadLetter
    asked_for: bool
    """Whether somebody wants it sent back, which no processor has done yet."""


@dataclass(frozen=True, slots=True)
class LetterCount:
    """How many letters there are of one origin and cloud."""

    origin: str
    cloud: str | None
    count: int
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters; None means any."""

    origin: str | None = None
    cloud: str | None = None
    since: datetime | None = None
    """Died, the last time, not before this moment."""
    reason: str | None = None
    """A part of the reason, whatever the case of its letters."""


ALL = LetterFilter()


async def keep_with(connection: Connection, letters: Sequence[DeadLetter]) -> int:
    """Do what `DeadLetters.keep` does within a transaction of the caller's."""
    merged: dict[bytes, DeadLetter] = {}
    for letter in sorted(letters, key=lambda letter: letter.at):
        digest = _digest(letter)
        merged[digest] = _merged(merged.get(digest), letter)
    rows = [
        (
            digest,
            letter.origin,
            storable(letter.reason),
            letter.cloud,
            letter.body,
            letter.at,
            letter.first_at or letter.at,
            letter.tries,
        )
        for digest, letter in sorted(merged.items())
    ]
    return rows_touched(await connection.execute(_SQL["keep"], *columns(rows, 8)))


def storable(text: str) -> str:
    """Return a reason as PostgreSQL can hold it: without NUL characters and half surrogates."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class DeadLetters:
    """Keeps dead letters and finds them again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, letters: Sequence[DeadLetter]) -> int:
        """Keep `letters`; return how many are new or died again.

        One message (same origin, cloud and bytes) is one letter: dying again adds to its tries, and
        the same death delivered twice changes nothing. A NUL character or half a surrogate pair in
        a reason, which PostgreSQL cannot hold, is replaced: a dead letter must not die again.
        """
        async with self._database.transaction() as connection:
            return await keep_with(connection, letters)

    async def find(
        self, which: LetterFilter = ALL, *, most: int = 100, before: int | None = None
    ) -> list[KeptLetter]:
        """Return up to `most` letters, latest kept first, going on below the number `before`."""
        rows = await self._database.fetch(
            _SQL["find"], before, which.origin, which.cloud, which.since, which.reason, most
        )
        return _kept(rows)

    async def get(self, numbers: Sequence[int]) -> list[KeptLetter]:
        """Return the letters with these numbers that exist."""
        return _kept(await self._database.fetch(_SQL["get"], numbers))

    async def drop(self, numbers: Sequence[int]) -> int:
        """Remove the letters with these numbers; return how many there were."""
        return await self._database.execute(_SQL["drop"], numbers)

    async def ask(self, numbers: Sequence[int], *, now: datetime) -> int:
        """Ask for letters to be sent back to where they died; return how many there are."""
        return await self._database.execute(_SQL["ask"], numbers, now)

    async def claim(self, *, most: int, now: datetime, lease: timedelta) -> list[KeptLetter]:
        """Take up to `most` letters that are to be sent back; ours until the lease ends."""
        return _kept(await self._database.fetch(_SQL["claim"], now, most, now + lease))

    async def returned(self, kept: KeptLetter, *, now: datetime) -> None:
        """Note that a letter was sent back; if it died again meanwhile, it stays."""
        await self._database.execute(_SQL["returned"], kept.number, kept.letter.at, now)

    async def died_again(self, kept: KeptLetter, reason: str, *, now: datetime) -> None:
        """Note what kept a letter from being sent back."""
        await self._database.execute(
            _SQL["died_again"], kept.number, kept.letter.at, storable(reason), now
        )

    async def counts(self) -> list[LetterCount]:
        """Return how many letters there are, by origin and cloud."""
        return [LetterCount(**dict(row)) for row in await self._database.fetch(_SQL["counts"])]

    async def purge(self, before: datetime, *, returned_before: datetime) -> int:
        """Forget letters from before a moment, and those sent back before another."""
        return await self._database.execute(_SQL["purge"], before, returned_before)


def _digest(letter: DeadLetter) -> bytes:
    """Return what makes two letters the same one; the migration 0031 computes the same."""
    parts = (letter.origin.encode(), (letter.cloud or "").encode(errors="replace"), letter.body)
    return sha256(_SEPARATOR.join(parts)).digest()


def _merged(earlier: DeadLetter | None, letter: DeadLetter) -> DeadLetter:
    """Return two deaths of one letter as one; the same death twice is one."""
    if earlier is None or earlier.at == letter.at:
        return letter
    first = min(earlier.first_at or earlier.at, letter.first_at or letter.at)
    return replace(letter, first_at=first, tries=earlier.tries + letter.tries)


def _kept(rows: Sequence[asyncpg.Record]) -> list[KeptLetter]:
    return [
        KeptLetter(
            row["number"],
            DeadLetter(
                row["origin"],
                row["reason"],
                row["cloud"],
                row["body"],
                row["at"],
                first_at=row["first_at"] if row["first_at"] < row["at"] else None,
                tries=row["tries"],
            ),
            row["asked_for"],
        )
        for row in rows
    ]
