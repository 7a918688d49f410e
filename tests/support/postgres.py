"""A real PostgreSQL for tests: one server a session, a fresh migrated database a test.

The server is the embedded one, or the one that TEST_DATABASE_URL names (its user must be
allowed to create databases). Fresh databases are copies of a migrated template, made in a few
milliseconds.
"""

import asyncio
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate

SERVER_VARIABLE = "OSEVENTS_TEST_DATABASE_URL"


def with_database(url: str, name: str) -> str:
    """Return `url` with another database name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def run(url: str, *statements: str) -> None:
    """Run statements outside of any transaction."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def embedded_server(directory: Path) -> Iterator[str]:
    """Run the embedded server from a thread of its own, since each test has its own event loop."""
    started: list[str] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with embedded_postgres(directory) as url:
            started.append(url)
            ready.set()
            await asyncio.to_thread(done.wait)

    def body() -> None:
        try:
            asyncio.run(serve())
        finally:
            ready.set()

    thread = threading.Thread(target=body, name="embedded PostgreSQL")
    thread.start()
    try:
        ready.wait()
        if not started:
            pytest.fail("the embedded PostgreSQL did not start; its thread says why")
        yield started[0]
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server that the tests may create databases on."""
    if given := os.environ.get(SERVER_VARIABLE):
        yield given
        return
    # Not under pytest's own temporary directory: a second session by root would lock it up (0700)
    # for the server, which then runs as another user.
    directory = Path(tempfile.mkdtemp(prefix="osevents-"))
    try:
        with embedded_server(directory) as url:
            # Tests kill clients, never the machine; without fsync they are much faster.
            asyncio.run(run(url, "alter system set fsync = off", "select pg_reload_conf()"))
            yield url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to."""
    name = f"osevents_template_{uuid.uuid4().hex[:12]}"
    asyncio.run(run(postgres_server, f"create database {name}"))
    asyncio.run(migrate(with_database(postgres_server, name)))
    yield name
    asyncio.run(run(postgres_server, f"drop database {name} with (force)"))


@pytest.fixture
async def empty_database_url(postgres_server: str) -> AsyncIterator[str]:
    """URL of a database without any table."""
    name = f"osevents_{uuid.uuid4().hex[:12]}"
    await run(postgres_server, f"create database {name}")
    yield with_database(postgres_server, name)
    await run(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
async def database_url(postgres_server: str, migrated_template: str) -> AsyncIterator[str]:
    """URL of a fresh database at this version's schema."""
    name = f"osevents_{uuid.uuid4().hex[:12]}"
    await run(postgres_server, f"create database {name} template {migrated_template}")
    yield with_database(postgres_server, name)
    await run(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, opened."""
    async with Database.open(database_url, application="osevents-test") as opened:
        yield opened
