"""Brings the database to this version: numbered SQL files, forward only.

All pending files are applied in one transaction under an advisory lock, so that concurrent calls
are safe and a failure leaves nothing behind. A file never changes once released; its checksum in
`schema_migrations` proves it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import asyncpg

from shared.errors import Misconfigured, Problem
from shared.store.database import Database
from shared.store.failures import connecting
from shared.store.statements import statements

_CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/migrations`."""

    name: str
    """Number and topic, as in `0001_timeline`."""
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """Return this version's migrations in order."""
    folder = files("shared.store") / "sql" / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return tuple(
        Migration(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    )


async def migrate(url: str) -> list[str]:
    """Apply what is missing and return the names of what was applied, in order.

    Raises Misconfigured when the database is newer than this version, or holds another text of a
    migration; StoreUnavailable when it cannot be reached.
    """
    sql = statements("migrations")
    with connecting(url):
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
        try:
            async with connection.transaction():
                await connection.execute(sql["lock"])
                await connection.execute(sql["create"])
                applied = dict(map(tuple, await connection.fetch(sql["applied"])))
                missing = compare(migrations(), applied)
                for migration in missing:
                    with _named(migration):
                        await connection.execute(migration.sql)
                    await connection.execute(sql["record"], migration.name, migration.checksum)
        finally:
            await connection.close()
    return [migration.name for migration in missing]


@contextmanager
def _named(migration: Migration) -> Iterator[None]:
    """Tell of what is in the way of a migration, such as a table that somebody else made."""
    try:
        yield
    except asyncpg.SyntaxOrAccessError as error:
        if isinstance(error, asyncpg.InsufficientPrivilegeError):
            raise
        message = (
            f"the migration {migration.name} cannot be applied: {error}; restore the tables of "
            "osevents as they were, or migrate into a new database"
        )
        raise Misconfigured([Problem("database", message)]) from error


async def check(database: Database) -> None:
    """Raise Misconfigured unless the database is exactly at this version."""
    sql = statements("migrations")
    applied: dict[str, str] = {}
    if await database.fetch_value(sql["exists"]):
        applied = dict(map(tuple, await database.fetch(sql["applied"])))
    if missing := compare(migrations(), applied):
        names = ", ".join(migration.name for migration in missing)
        message = f"its schema is behind this version (missing: {names}); run `osevents migrate`"
        raise Misconfigured([Problem("database", message)])


def compare(known: tuple[Migration, ...], applied: dict[str, str]) -> list[Migration]:
    """Return what of `known` is not in `applied` (name to checksum).

    Raises Misconfigured when `applied` holds what we do not know, or another text under a name.
    """
    checksums = {migration.name: migration.checksum for migration in known}
    problems = []
    for name, checksum in sorted(applied.items()):
        if name not in checksums:
            message = (
                f"its schema is ahead of this version (it has {name}); install a newer osevents"
            )
            problems.append(Problem("database", message))
        elif checksums[name] != checksum:
            message = (
                f"the migration {name} was applied with another text than this version has; "
                "restore the matching osevents, or migrate into a new database"
            )
            problems.append(Problem("database", message))
    if problems:
        raise Misconfigured(problems)
    return [migration for migration in known if migration.name not in applied]
