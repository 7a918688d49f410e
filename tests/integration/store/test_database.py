"""Connections, their loss, and their limits."""

import asyncio

import asyncpg
import pytest

from shared.errors import Misconfigured, StoreUnavailable, Unstorable
from shared.store.database import Database


async def test_a_server_that_is_not_there_is_a_reason_to_wait() -> None:
    with pytest.raises(StoreUnavailable, match="ConnectionRefused"):
        async with Database.open("postgresql://nobody@127.0.0.1:1/none"):
            pytest.fail("nobody listens there")


async def test_a_database_that_does_not_exist_is_for_the_operator(database_url: str) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        async with Database.open(database_url.replace("/osevents_", "/absent_")):
            pytest.fail("there is no such database")


async def test_a_killed_session_is_a_reason_to_wait_and_the_next_works(
    database: Database, database_url: str
) -> None:
    killer = await asyncpg.connect(database_url)

    async def work() -> None:
        async with database.transaction() as connection:
            await killer.fetch("select pg_terminate_backend($1)", connection.get_server_pid())
            await connection.fetch("select 1")

    with pytest.raises(StoreUnavailable):
        await work()
    await killer.close()

    assert await database.fetch_value("select 1") == 1


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute("insert into checkpoints values ('a', 'b', '{}', now())")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()

    assert await database.fetch_value("select count(*) from checkpoints") == 0


@pytest.mark.parametrize("text", ["a\x00b", "half a pair: \ud800"])
async def test_text_that_postgresql_cannot_hold_is_refused(database: Database, text: str) -> None:
    with pytest.raises(Unstorable):
        await database.fetch("select $1::text", text)


async def test_a_deadlock_is_a_reason_to_wait(database: Database) -> None:
    await database.execute("create table pair (id int primary key, n int)")
    await database.execute("insert into pair values (1, 0), (2, 0)")
    both_hold_one = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> bool:
        try:
            async with database.transaction() as connection:
                await connection.execute("update pair set n = 1 where id = $1", first)
                await both_hold_one.wait()
                await connection.execute("update pair set n = 1 where id = $1", second)
        except StoreUnavailable:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(lock(1, 2)), group.create_task(lock(2, 1))]

    assert sorted(call.result() for call in calls) == [False, True]


async def test_a_connection_lent_for_other_things_leaves_their_errors_alone(
    database: Database,
) -> None:
    with pytest.raises(TimeoutError):
        async with database.lent():
            raise TimeoutError
