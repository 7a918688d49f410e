"""The connections to PostgreSQL: a bounded pool, deadlines, and errors in our own words.

What is stored, and how, is the business of the classes that take a Database.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.store.failures import connecting, translated

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

_CONNECT_SECONDS = 10
_ACQUIRE_SECONDS = 15
_STATEMENT_SECONDS = 30

_SESSION = {
    "timezone": "UTC",
    "jit": "off",  # our statements are short; compiling them costs more than it saves
    # Filters are written `$1 is null or cloud = $1`; only a plan made for the values at hand sees
    # which half is meant and takes the right index.
    "plan_cache_mode": "force_custom_plan",
}


class Database:
    """A pool of connections; open one per process and hand it to the classes of this package."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, connections: int = 8, application: str = "osevents-processor"
    ) -> AsyncIterator[Self]:
        """Connect to `url` (`postgresql://...`), with at most `connections` at a time.

        Raises StoreUnavailable when the server cannot be reached, Misconfigured when it refuses us.
        Leaving waits for running statements (they have deadlines) and closes the connections.
        """
        with connecting(url):
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=connections,
                timeout=_CONNECT_SECONDS,
                command_timeout=_STATEMENT_SECONDS,
                server_settings={"application_name": application, **_SESSION},
                reset=_keep_session,
            )
        try:
            yield cls(pool)
        finally:
            with translated():
                async with asyncio.timeout(_STATEMENT_SECONDS):  # then asyncpg cuts them off
                    await pool.close()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Connection]:
        """Lend a connection to a block that does other things too: its errors stay as they are."""
        with translated():
            connection = await self._pool.acquire(timeout=_ACQUIRE_SECONDS)
        try:
            yield connection
        finally:
            with translated():
                await self._pool.release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; driver errors raised inside become ours."""
        async with self.lent() as connection:
            with translated():
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction: committed at the end, rolled back by an exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement in its own transaction and return its rows."""
        async with self.connection() as connection:
            return await connection.fetch(statement, *arguments)

    async def fetch_row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """Run one statement in its own transaction and return its first row."""
        async with self.connection() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetch_value(self, statement: str, *arguments: object) -> Any:
        """Run one statement in its own transaction; return the first column of its first row."""
        async with self.connection() as connection:
            return await connection.fetchval(statement, *arguments)

    async def execute(self, statement: str, *arguments: object) -> int:
        """Run one statement in its own transaction and return how many rows it touched."""
        async with self.connection() as connection:
            return rows_touched(await connection.execute(statement, *arguments))


def rows_touched(status: str) -> int:
    """Return the count at the end of a command tag: 3 for `DELETE 3`, 0 for `BEGIN`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def columns(rows: Sequence[Sequence[object]], width: int) -> list[tuple[object, ...]]:
    """Turn rows into `width` columns, as `unnest` wants them; none of them when there is no row."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


async def _keep_session(_: object) -> None:
    """Skip asyncpg's reset query on release: we never change a session, and it costs a round trip.

    The one exception, an advisory lock, is undone where it is taken (`shared.store.locks`).
    """
