"""RabbitMQ nodes for tests: real, on free ports of 127.0.0.1, gone when the session ends.

`rabbit_url` is the fixture most tests want: an empty vhost with a user of its own on a node that
the whole session shares. `rabbit_vhost` is the same with a hand on the broker's side (delete a
queue, close the connections). `dedicated_node` is for tests that stop or kill the broker.

How a broker is asked (HTTP) is in `tests.support.rabbitmq_management`; where its programs come
from, in `install_rabbitmq.sh`.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.ports import free_port
from tests.support.rabbitmq_management import Management

_SYSTEM = Path("/usr/lib/rabbitmq")
_UNPACKED = Path(__file__).parents[2] / ".deps/rabbitmq/root"
_BOOT_SECONDS = 180.0  # 7 on a quiet machine; several suites may share two cores
_STOP_SECONDS = 120.0

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {http}
loopback_users = none
log.console = true
log.console.level = info
log.file = false
disk_free_limit.absolute = 10MB
management.disable_stats = true
management_agent.disable_metrics_collector = true
"""


@dataclass(frozen=True, slots=True)
class _Programs:
    """Where RabbitMQ and Erlang are on this machine."""

    server: Path
    erlang: Path
    libraries: tuple[Path, ...] = ()

    @classmethod
    def find(cls) -> "_Programs":
        """Return the distribution's RabbitMQ, else the one install_rabbitmq.sh unpacked."""
        erl = shutil.which("erl")
        for server in _SYSTEM.glob("lib/rabbitmq_server-*/sbin/rabbitmq-server"):
            if erl:
                return cls(server, Path(erl).resolve().parents[1])
        for server in _UNPACKED.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"):
            libraries = (
                *_UNPACKED.glob("usr/lib/*-linux-gnu*"),
                *_UNPACKED.glob("lib/*-linux-gnu*"),
            )
            return cls(server, _UNPACKED / "usr/lib/erlang", libraries)
        pytest.fail("there is no RabbitMQ on this machine; run: make rabbitmq", pytrace=False)

    @property
    def epmd(self) -> Path:
        return next(self.erlang.glob("erts-*/bin/epmd"))

    def environment(self) -> dict[str, str]:
        """Return the variables that make these programs run, whatever this process has set."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        if self.libraries:
            kept["LD_LIBRARY_PATH"] = ":".join(str(path) for path in self.libraries)
        kept["PATH"] = f"{self.erlang / 'bin'}:{kept.get('PATH', os.defpath)}"
        return kept


class RabbitNode:
    """One broker with its own epmd, data directory and ports.

    Not a coroutine in sight, so that a session fixture can own it; `restart` may be awaited.
    Everything runs in the process group of a keeper that holds a pipe to us: when the pipe
    closes, because we closed it or because we were killed, the keeper kills the whole group.
    """

    def __init__(self, directory: Path, more: str = "") -> None:
        self._directory = directory
        self._more = more
        self._programs = _Programs.find()
        self._amqp, self._http, self._epmd, self._distribution = (free_port() for _ in range(4))
        self._log = directory / "node.log"
        self._server: subprocess.Popen[bytes] | None = None
        self.management = Management(f"http://127.0.0.1:{self._http}/api")
        self._write_configuration()
        self._keeper = self._start_keeper()

    @property
    def port(self) -> int:
        """The AMQP port; it stays the same over restarts."""
        return self._amqp

    def url(self, vhost: str = "%2F", *, user: str = "guest", password: str = "guest") -> str:
        """Return the AMQP URL of `vhost` (percent-encoded); guest may do everything."""
        return f"amqp://{user}:{password}@127.0.0.1:{self._amqp}/{vhost}"

    @property
    def pid(self) -> int:
        """The broker's process."""
        assert self._server is not None, "the node does not run"
        return self._server.pid

    def log_lines(self) -> list[str]:
        """Return what the broker has logged."""
        return self._log.read_text(errors="replace").splitlines()

    def start(self) -> None:
        """Start the broker on the data it had; return when it serves clients."""
        assert self._server is None, "the node runs already"
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs.server],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self._keeper.pid,
            )
        self._wait_until_ready(self._server)

    def stop(self) -> None:
        """Stop in order, as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End without warning, as a power cut does.

        What was declared less than a second or two before may be lost, durable or not (seen with
        3.10: the declaration was answered before it was on disk), and a quorum queue can stay
        without a leader for ever (rabbitmq-server issue 10070). Confirmed messages are safe: let
        the queue live a while, or restart in order, before the kill.
        """
        self._end(signal.SIGKILL)

    async def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill) and start again while the event loop goes on."""
        await asyncio.to_thread(self.kill if kill else self.stop)
        await asyncio.to_thread(self.start)

    def close(self) -> None:
        """End everything this node started."""
        if self._server is not None:
            self.kill()
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(_STOP_SECONDS)

    def _end(self, how: signal.Signals) -> None:
        assert self._server is not None, "the node does not run"
        self._server.send_signal(how)
        self._server.wait(_STOP_SECONDS)
        self._server = None

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Return when the last thing that boots, the client listener, is there."""
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                if self._listens():
                    return
            else:
                break
        tail = self._log.read_text(errors="replace")[-3000:]
        self.close()
        pytest.fail(f"RabbitMQ did not start; the end of its log:\n{tail}", pytrace=False)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._amqp), timeout=1).close()
        except OSError:
            return False
        return self.management.answers()

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        script = '"$@" & read -r _; kill -KILL 0'
        epmd = [str(self._programs.epmd), "-port", str(self._epmd), "-address", "127.0.0.1"]
        return subprocess.Popen(
            ["/bin/sh", "-c", script, "keeper", *epmd],
            env=self._programs.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    def _write_configuration(self) -> None:
        configuration = _CONFIGURATION.format(amqp=self._amqp, http=self._http)
        (self._directory / "rabbitmq.conf").write_text(configuration + self._more)
        (self._directory / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _environment(self) -> dict[str, str]:
        directory = self._directory
        return self._programs.environment() | {
            "HOME": str(directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd),
            "RABBITMQ_NODENAME": f"test{self._amqp}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "absent"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # With input allowed the script becomes the broker instead of watching over it, so
            # that a signal sent to the process we started reaches the broker itself.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }


@dataclass(frozen=True, slots=True)
class RabbitVhost:
    """An empty vhost with a user who may do everything in it, and nothing elsewhere."""

    name: str
    url: str
    node: RabbitNode

    def permit(self, *, configure: str, write: str, read: str) -> None:
        """Let the vhost's user do only what the patterns match, from the next connection on."""
        self.node.management.permit(
            self.name, self.name, configure=configure, write=write, read=read
        )

    def close_connections(self) -> int:
        """Close all client connections from the broker's side; return how many there were."""
        return self.node.management.close_connections(user=self.name)

    def delete_queue(self, queue: str) -> None:
        """Delete `queue` with all it holds, under the feet of its consumers."""
        self.node.management.delete_queue(self.name, queue)

    def queues(self) -> list[str]:
        """Return the names of all queues, sorted."""
        return self.node.management.queues(self.name)

    def bindings(self, queue: str) -> set[tuple[str, str]]:
        """Return the (exchange, routing key) pairs bound to `queue`, without the default one."""
        return self.node.management.bindings(self.name, queue)


@contextmanager
def running_node(more: str = "") -> Iterator[RabbitNode]:
    """Run a broker in a temporary directory until the block is left.

    `more` are further lines of its rabbitmq.conf.
    """
    # Not pytest's tmp_path: its long names exceed what Erlang's tools accept in places.
    with tempfile.TemporaryDirectory(prefix="rabbit-", ignore_cleanup_errors=True) as directory:
        node = RabbitNode(Path(directory), more)
        try:
            node.start()
            yield node
        finally:
            node.close()


@contextmanager
def fresh_vhost(node: RabbitNode) -> Iterator[RabbitVhost]:
    """A vhost of `node` that is gone afterwards, with its queues and connections."""
    name = f"t{uuid4().hex[:12]}"
    node.management.create_vhost(name, user=name, password="secret")
    try:
        yield RabbitVhost(name, node.url(name, user=name, password="secret"), node)
    finally:
        node.management.delete_vhost(name, user=name)


@pytest.fixture(scope="session")
def rabbit_node() -> Iterator[RabbitNode]:
    """The broker shared by the session; never stop it, use `dedicated_node` for that."""
    with running_node() as node:
        yield node


@pytest.fixture
def rabbit_vhost(rabbit_node: RabbitNode) -> Iterator[RabbitVhost]:
    """An empty vhost of the shared broker."""
    with fresh_vhost(rabbit_node) as vhost:
        yield vhost


@pytest.fixture
def rabbit_url(rabbit_vhost: RabbitVhost) -> str:
    """The AMQP URL of an empty vhost."""
    return rabbit_vhost.url


@pytest.fixture
def dedicated_node() -> Iterator[RabbitNode]:
    """A broker for one test alone, which may stop, kill and restart it."""
    with running_node() as node:
        yield node
