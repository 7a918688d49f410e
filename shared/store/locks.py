"""One copy at a time: a PostgreSQL advisory lock, held by one connection of the pool.

The lock ends with its connection, so a copy that died never blocks the others. For the same reason
a holder that lost the database for a moment may briefly not be the only one: what it does under the
lock must be harmless to do twice. It is told soon, since it looks: otherwise a restart of the
database would leave two holders for as long as both live.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

import asyncpg

from shared.errors import StoreUnavailable
from shared.store.database import Connection, Database
from shared.store.failures import translated
from shared.store.statements import statements
from shared.waiting import beside

_LOOK_SECONDS = 5.0
"""Between two looks whether the lock is still ours."""
_SQL = statements("locks")


@asynccontextmanager
async def try_lock(database: Database, name: str) -> AsyncIterator[bool]:
    """Yield whether the lock `name` is ours until the end of the block; never waits for it.

    A block whose lock is lost with the connection is cancelled, and ends with StoreUnavailable.
    """
    key = lock_key(name)
    async with database.lent() as connection:
        held = True  # as far as we know, also when cancelled while asking
        try:
            with translated():
                held = bool(await connection.fetchval(_SQL["lock"], key))
            if held:
                async with beside(**{f"looking after lock {name!r}": _look_after(connection)}):
                    yield True
            else:
                yield False
        finally:
            if held:
                await _unlock(connection, key)


async def _look_after(connection: Connection) -> None:
    """Look for ever; raises StoreUnavailable when the connection, and the lock with it, is gone."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        with translated():
            await connection.fetchval(_SQL["look"])


async def _unlock(connection: Connection, key: int) -> None:
    """Give the lock back; where that fails, by ending the connection, and the lock with it."""
    try:
        with translated():
            await connection.fetchval(_SQL["unlock"], key)
    except StoreUnavailable:
        with suppress(asyncpg.InterfaceError):  # it broke, and the pool took it back already
            connection.terminate()


def lock_key(name: str) -> int:
    """Return the 64 bit number that stands for `name`, the same in every version and process."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
