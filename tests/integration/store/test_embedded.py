"""The embedded PostgreSQL: shared by processes, healed after a kill, stopped by the last."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from shared.errors import Misconfigured
from shared.store.embedded import embedded_postgres

USER = """
import asyncio, pathlib, sys
from shared.store.embedded import embedded_postgres

async def main():
    async with embedded_postgres(pathlib.Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    # Beside pytest's own temporary directory, which is locked (0700) for the server's user.
    path = Path(tempfile.mkdtemp(prefix="osevents-"))
    yield path
    shutil.rmtree(path)


def running(directory: Path) -> bool:
    return (directory / "postgres" / "postmaster.pid").exists()


async def ask(url: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select 1")
    finally:
        await connection.close()


@asynccontextmanager
async def another_process(directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that uses the server of `directory` until its standard input ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-c", USER, str(directory)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if key != "XDG_RUNTIME_DIR"}
        | {"PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"postgresql://")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_data_survives_a_stop_and_the_server_does_not(directory: Path) -> None:
    async with embedded_postgres(directory) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("create table kept ()")
        await connection.close()
    assert not running(directory)

    async with embedded_postgres(directory) as url:
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select to_regclass('kept') is not null")
        await connection.close()


async def test_commits_are_durable(directory: Path) -> None:
    async with embedded_postgres(directory) as url:
        connection = await asyncpg.connect(url)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval("select current_setting($1)", setting) == "on"
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()


async def test_users_in_one_process_share_the_server(directory: Path) -> None:
    async with embedded_postgres(directory) as first:
        async with embedded_postgres(directory) as second:
            assert first == second
        assert await ask(first) == 1
    assert not running(directory)


async def test_processes_share_the_server_and_the_last_stops_it(directory: Path) -> None:
    async with another_process(directory) as other:
        async with embedded_postgres(directory) as url:
            assert await ask(url) == 1
        assert running(directory)
        _, errors = await other.communicate(b"")

    assert (other.returncode, errors) == (0, b"")
    assert not running(directory)


async def test_a_killed_user_is_not_counted(directory: Path) -> None:
    async with another_process(directory) as other:
        other.send_signal(signal.SIGKILL)
        await other.wait()
    assert running(directory)

    async with embedded_postgres(directory) as url:
        assert await ask(url) == 1
    assert not running(directory)


async def test_a_killed_server_recovers_at_the_next_start(directory: Path) -> None:
    async with another_process(directory) as other:
        pid = int((directory / "postgres" / "postmaster.pid").read_text().split()[0])
        other.send_signal(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        await other.wait()
    assert running(directory)

    async with embedded_postgres(directory) as url:
        assert await ask(url) == 1


async def test_a_server_that_lets_in_but_never_answers_is_not_handed_out(directory: Path) -> None:
    # As one does that was killed, and is not quite gone.
    async with another_process(directory) as other:
        pid = int((directory / "postgres" / "postmaster.pid").read_text().split()[0])
        other.send_signal(signal.SIGKILL)
        await other.wait()
    os.kill(pid, signal.SIGSTOP)

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(start_and_ask(directory))
        done, _ = await asyncio.wait({asking}, timeout=1)
        os.kill(pid, signal.SIGKILL)

    assert not done
    assert asking.result() == 1


async def start_and_ask(directory: Path) -> object:
    async with embedded_postgres(directory) as url:
        return await ask(url)


async def test_a_pid_that_now_is_another_program_is_no_server(directory: Path) -> None:
    async with embedded_postgres(directory):
        pid_file = (directory / "postgres" / "postmaster.pid").read_text()
    lines = [str(os.getpid()), *pid_file.splitlines()[1:]]
    (directory / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")

    async with embedded_postgres(directory) as url:
        assert await ask(url) == 1


async def test_a_half_made_data_directory_is_made_again(directory: Path) -> None:
    (directory / "postgres.new").mkdir()
    (directory / "postgres.new" / "PG_VERSION").write_text("18\n")

    async with embedded_postgres(directory) as url:
        assert await ask(url) == 1


async def test_a_path_too_long_for_a_socket_works(directory: Path) -> None:
    async with embedded_postgres(directory / ("deep" * 30)) as url:
        assert await ask(url) == 1


async def test_a_cancel_while_starting_leaves_no_server(directory: Path) -> None:
    async def use() -> None:
        async with embedded_postgres(directory):
            pytest.fail("it was cancelled before")

    task = asyncio.create_task(use())
    await asyncio.sleep(0)  # lets the task begin, no more
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not running(directory)


async def test_a_path_that_a_shell_would_take_apart_is_refused(directory: Path) -> None:
    with pytest.raises(Misconfigured, match="plain path"):
        async with embedded_postgres(directory / "my data"):
            pytest.fail("it must not start")


async def test_data_of_another_version_is_refused_and_left_alone(directory: Path) -> None:
    (directory / "postgres").mkdir()
    (directory / "postgres" / "PG_VERSION").write_text("13\n")

    with pytest.raises(Misconfigured, match="made by PostgreSQL 13"):
        async with embedded_postgres(directory):
            pytest.fail("it must not start")
    assert (directory / "postgres" / "PG_VERSION").read_text() == "13\n"


async def test_a_directory_that_cannot_be_made_is_for_the_operator(directory: Path) -> None:
    (directory / "file").write_text("")

    with pytest.raises(Misconfigured, match="cannot hold the embedded database"):
        async with embedded_postgres(directory / "file" / "below"):
            pytest.fail("it must not start")
