"""One copy at a time."""

import asyncio

import asyncpg
import pytest

from shared.errors import StoreUnavailable
from shared.store import locks
from shared.store.database import Database
from shared.store.locks import lock_key, try_lock


async def test_a_lock_is_held_by_one_at_a_time(database: Database, database_url: str) -> None:
    async with (
        Database.open(database_url) as other,
        try_lock(database, "panko prod") as first,
        try_lock(other, "panko prod") as second,
        try_lock(other, "panko x") as third,
    ):
        assert (first, second, third) == (True, False, True)


async def test_a_lock_can_be_taken_again_at_once(database: Database, database_url: str) -> None:
    async with Database.open(database_url) as other:
        for holder in (database, other, database):
            async with try_lock(holder, "panko prod") as held:
                assert held


async def test_a_failing_holder_gives_the_lock_back_and_keeps_its_error(
    database: Database, database_url: str
) -> None:
    with pytest.raises(TimeoutError):
        async with try_lock(database, "panko prod"):
            raise TimeoutError

    async with Database.open(database_url) as other, try_lock(other, "panko prod") as held:
        assert held


async def test_a_holder_whose_session_died_no_longer_blocks(
    database: Database, database_url: str
) -> None:
    async with try_lock(database, "panko prod"):
        await end_the_session_of_the_holder(database_url)
        async with Database.open(database_url) as other, try_lock(other, "panko prod") as held:
            assert held


async def test_a_holder_whose_session_died_is_told(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.01)

    async def hold() -> None:
        async with asyncio.timeout(60), try_lock(database, "panko prod"):
            await end_the_session_of_the_holder(database_url)
            await asyncio.Event().wait()

    with pytest.raises(StoreUnavailable):
        await hold()


async def test_a_holder_that_looks_while_it_leaves_gives_the_lock_back(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.0)
    async with Database.open(database_url) as other:
        for holder in (database, other) * 20:
            async with try_lock(holder, "panko prod") as held:
                assert held
                await asyncio.sleep(0)


async def end_the_session_of_the_holder(database_url: str) -> None:
    killer = await asyncpg.connect(database_url)
    killed = await killer.fetchval(
        "select pg_terminate_backend(pid, 60000)"
        " from pg_locks join pg_database on pg_database.oid = pg_locks.database"
        " where locktype = 'advisory' and datname = current_database()"
        " and pid <> pg_backend_pid()"
    )
    assert killed
    await killer.close()


async def test_a_cancelled_holder_gives_the_lock_back(
    database: Database, database_url: str
) -> None:
    holding = asyncio.Event()

    async def hold() -> None:
        async with try_lock(database, "panko prod"):
            holding.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        holder = group.create_task(hold())
        await holding.wait()
        holder.cancel()

    async with Database.open(database_url) as other, try_lock(other, "panko prod") as held:
        assert held


def test_a_name_has_the_same_key_everywhere() -> None:
    assert lock_key("panko prod") == -3123142509007600700
    assert lock_key("panko prod") != lock_key("panko test")
