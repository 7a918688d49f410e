"""What the benchmarks run on: a broker, a database, a simulated cloud, osevents' processes.

All of it shares this machine's cores, as the figures say.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aio_pika
import psutil

from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from tests.support.deployment import Deployment, Service
from tests.support.ports import free_port
from tests.support.rabbitmq import RabbitNode, running_node
from tests.support.simulated import SimulatorCalls
from tests.support.waiting import eventually

CLOUD = "simulated"
QUEUE = "osevents.simulated"
EXCHANGES = (
    "nova",
    "neutron",
    "openstack",
    "glance",
    "keystone",
    "heat",
    "octavia",
    "ironic",
    "manila",
)


@dataclass(frozen=True, slots=True)
class Rig:
    """Everything a benchmark may look at or order about."""

    node: RabbitNode
    database: Database
    postgres_directory: Path
    deployment: Deployment
    simulator: SimulatorCalls

    async def start(self, *commands: str) -> dict[str, Service]:
        """Start one copy of each service and return when all are ready."""
        services = {command: self.deployment.add(command) for command in commands}
        for service in services.values():
            service.start()
        for service in services.values():
            await service.ready()
        if "catcher" in services:
            await catching(services["catcher"])
        return services

    async def live(self, notifications: int, *, per_second: float) -> int:
        """Let the cloud send that many notifications, and a few more; return how many it sent."""
        before = await self.sent()
        await asyncio.to_thread(
            self.simulator.life,
            running=True,
            notifications=notifications,
            notifications_per_second=per_second,
        )

        async def over() -> bool:
            return bool((await asyncio.to_thread(self.simulator.life))["idle"])

        await eventually(over, what="the simulated cloud is at rest", seconds=900)
        return await self.sent() - before

    async def sent(self) -> int:
        """Return how many notifications the cloud has sent so far."""
        return int((await asyncio.to_thread(self.simulator.life))["sent"])

    async def events(self) -> int:
        """Return how many events the timeline has, gaps of our own left out."""
        return int(
            await self.database.fetch_value(
                "select count(*) from events where type <> 'osevents.gap'"
            )
        )

    async def settled(self) -> None:
        """Return when no full pass and no target waits."""

        async def at_rest() -> bool:
            waiting = await self.database.fetch_value(
                "select (select count(*) from targets) "
                "+ (select count(*) from passes where finished_at is null) "
                "+ (select 1 - least(1, count(*)) from passes)"
            )
            return int(waiting) == 0

        await eventually(at_rest, what="nothing waits", seconds=300)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time that each part has used so far."""
        postmaster = self.postgres_directory / "postgres" / "postmaster.pid"
        roots = {
            "RabbitMQ": self.node.pid,
            "PostgreSQL": int(postmaster.read_text().split()[0]),
            **{
                service.name.partition("-")[0]: service.process.pid
                for service in self.deployment.services
                if service.running and service.process is not None
            },
        }
        return {name: used_by(psutil.Process(pid)) for name, pid in roots.items()}


async def catching(catcher: Service) -> None:
    """Return when the catcher's queue is bound: ready alone does not say so."""

    async def source_is_up() -> bool:
        _, text = await asyncio.to_thread(catcher.get, "/metrics")
        return f'osevents_source_up{{cloud="{CLOUD}",source="{QUEUE}"}} 1.0' in text

    await eventually(source_is_up, what="the catcher reads its queue")


def used_by(root: psutil.Process) -> float:
    """Return the processor seconds of a process and its children, the ended ones included."""
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
        total += times.children_user + times.children_system
    return total


@asynccontextmanager
async def rig(*, servers: int, refresh: Any = None, **simulator: Any) -> AsyncIterator[Rig]:
    """Start the broker, the database and the simulated cloud; `refresh` is that cloud's setting."""
    with TemporaryDirectory(prefix="osevents-bench-") as name, running_node() as node:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as url:
            await migrate(url)
            wanted = configuration(node.url(), url, servers, simulator)
            wanted["clouds"][0]["refresh"] = refresh or {}
            deployment = Deployment(directory, wanted)
            deployment.write()
            await declare_exchanges(node.url())
            try:
                async with Database.open(url, application="osevents-bench") as database:
                    calls = await start_simulator(deployment)
                    yield Rig(node, database, directory, deployment, calls)
            except BaseException:
                deployment.tell()
                raise
            finally:
                deployment.close()


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """Open a channel for a while."""
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as opened:
        yield opened


async def declare_exchanges(url: str) -> None:
    """Declare what every OpenStack service declares for its RPC, long before it notifies."""
    async with channel(url) as opened:
        for name in EXCHANGES:
            await opened.declare_exchange(name, "topic", durable=True)


def configuration(
    broker: str, database: str, servers: int, simulator: dict[str, Any]
) -> dict[str, Any]:
    """Return one configuration for all services."""
    return {
        "database": {"url": database},
        "bus": {"url": broker},
        "clouds": [
            {
                "name": CLOUD,
                "source": "amqp",
                "filters": {"drop": []},
                "amqp": {
                    "transports": [broker.replace("amqp://", "rabbit://")],
                    "exchanges": list(EXCHANGES),
                    "rebind_interval": "1s",
                },
            }
        ],
        "simulator": {
            "port": free_port(),
            "servers": servers,
            "rate": 0,
            "seed": 1,
            "transport_url": broker,
            "amqp_durable_queues": True,
            **simulator,
        },
    }


async def start_simulator(deployment: Deployment) -> SimulatorCalls:
    """Start the simulated cloud and return when its APIs can be found."""
    clouds_yaml = deployment.directory / "clouds.yaml"
    deployment.add("simulator", "--clouds-yaml", str(clouds_yaml), "--cloud", CLOUD).start()

    async def written() -> bool:
        return clouds_yaml.exists()

    await eventually(written, what="the simulator runs", seconds=120)
    return SimulatorCalls(f"http://127.0.0.1:{deployment.configuration['simulator']['port']}")
