"""Migrating real databases."""

import asyncio

import asyncpg
import pytest

from shared.errors import Misconfigured, StoreUnavailable
from shared.store.database import Database
from shared.store.migrations import check, migrate, migrations
from shared.store.timeline import Timeline, TimelineFilter
from tests.support.events import NOON

ALL = [migration.name for migration in migrations()]


async def test_migrating_twice_applies_everything_once(empty_database_url: str) -> None:
    assert await migrate(empty_database_url) == ALL
    assert await migrate(empty_database_url) == []


async def test_concurrent_calls_apply_everything_once(empty_database_url: str) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(migrate(empty_database_url)) for _ in range(4)]

    assert sorted(call.result() for call in calls) == [[], [], [], ALL]


async def test_a_migrated_database_passes_the_check(database: Database) -> None:
    await check(database)


async def test_an_empty_database_fails_the_check_naming_the_command(
    empty_database_url: str,
) -> None:
    async with Database.open(empty_database_url) as database:
        with pytest.raises(Misconfigured, match="osevents migrate"):
            await check(database)


async def test_a_newer_database_fails_the_check_and_is_left_alone(
    database: Database, database_url: str
) -> None:
    await database.execute("insert into schema_migrations values ('9999_later', 'abc')")

    with pytest.raises(Misconfigured, match="ahead of this version"):
        await check(database)
    with pytest.raises(Misconfigured, match="ahead of this version"):
        await migrate(database_url)


async def test_a_server_that_is_not_there_is_a_reason_to_wait() -> None:
    with pytest.raises(StoreUnavailable, match=r"at postgresql://nobody@127\.0\.0\.1:1/none "):
        await migrate("postgresql://nobody@127.0.0.1:1/none")


async def test_what_is_in_the_way_of_a_migration_is_named(database_url: str) -> None:
    last = ALL[-1]
    async with Database.open(database_url) as database:
        await database.execute("delete from schema_migrations where name = $1", last)

    with pytest.raises(Misconfigured, match=f"the migration {last} cannot be applied: relation"):
        await migrate(database_url)


async def test_events_from_before_they_had_classes_are_found_by_them(
    empty_database_url: str,
) -> None:
    before = [migration for migration in migrations() if migration.name < "0010"]
    connection = await asyncpg.connect(empty_database_url)
    try:
        for migration in before:
            await connection.execute(migration.sql)
        await connection.execute(
            "insert into events (cloud, id, time, type, service, publisher, priority, flavour,"
            " category, level, action, phase, known, synthetic, subject_kind, subject_id, refs,"
            " name, state, payload, recorded_at)"
            " values ('prod', 'old', $1, 'port.create.end', 'network',"
            " '', 'info', 'legacy', 'network', 'detail', 'create', 'end', true, false, 'port', 'p',"
            " '{port/p}', 'Web-1', 'ACTIVE', '{}', $1)",
            NOON,
        )
        for migration in migrations():
            if migration not in before:
                await connection.execute(migration.sql)
    finally:
        await connection.close()
    async with Database.open(empty_database_url, application="osevents-test") as database:
        for which in (
            TimelineFilter(types=("port.*",), state="active", kind="port"),
            TimelineFilter(text="web"),
        ):
            [row] = await Timeline(database).find(which)
            assert (row.id, row.subjects) == ("old", 1)
