"""Dead letters in the database: kept once, listed, taken out again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import asyncpg

from shared.dead_letter import DeadLetter
from shared.store.database import Database, columns
from shared.store.statements import statements

_SQL = statements("dead_letters")


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter with the number that the operator calls it by."""

    number: int
    letter: DeadLetter


@dataclass(frozen=True, slots=True)
class LetterCount:
    """How many letters there are of one origin and cloud."""

    origin: str
    cloud: str | None
    count: int
    latest: datetime


class DeadLetters:
    """Keeps dead letters and finds them again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, letters: Sequence[DeadLetter]) -> int:
        """Keep `letters`; return how many were new. A letter delivered twice is kept once.

        A NUL character or half a surrogate pair in a reason, which PostgreSQL cannot hold, is
        replaced: a dead letter must not die again.
        """
        unique = {_digest(letter): letter for letter in letters}
        rows = [
            (digest, letter.origin, _storable(letter.reason), letter.cloud, letter.body, letter.at)
            for digest, letter in sorted(unique.items())
        ]
        return await self._database.execute(_SQL["keep"], *columns(rows, 6))

    async def find(
        self,
        *,
        origin: str | None = None,
        cloud: str | None = None,
        most: int = 100,
        before: int | None = None,
    ) -> list[KeptLetter]:
        """Return up to `most` letters, latest first, going on below the number `before`."""
        return _kept(await self._database.fetch(_SQL["find"], before, origin, cloud, most))

    async def get(self, numbers: Sequence[int]) -> list[KeptLetter]:
        """Return the letters with these numbers that exist."""
        return _kept(await self._database.fetch(_SQL["get"], numbers))

    async def drop(self, numbers: Sequence[int]) -> int:
        """Remove the letters with these numbers; return how many there were."""
        return await self._database.execute(_SQL["drop"], numbers)

    async def counts(self) -> list[LetterCount]:
        """Return how many letters there are, by origin and cloud."""
        return [LetterCount(**dict(row)) for row in await self._database.fetch(_SQL["counts"])]

    async def purge(self, before: datetime) -> int:
        """Forget letters from before a moment; return how many."""
        return await self._database.execute(_SQL["purge"], before)


def _digest(letter: DeadLetter) -> bytes:
    """Return what makes two letters the same one."""
    digest = sha256()
    texts = (letter.origin, letter.reason, repr(letter.cloud), letter.at.isoformat())
    for part in (*(text.encode(errors="replace") for text in texts), letter.body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _storable(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _kept(rows: Sequence[asyncpg.Record]) -> list[KeptLetter]:
    return [
        KeptLetter(
            row["number"],
            DeadLetter(row["origin"], row["reason"], row["cloud"], row["body"], row["at"]),
        )
        for row in rows
    ]
