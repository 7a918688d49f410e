"""Catching up: the history of a cloud, from an Events API to the timeline; killed half way.

The server of the events, RabbitMQ, PostgreSQL, the catcher and the processor share this machine;
what the refresher would read is acknowledged at once, since history asks it for nothing.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import psutil
import yaml
from aio_pika.abc import AbstractIncomingMessage

from services.catcher.sources.horizon import OVERLAP
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from tests.benchmarks.events_server import STEP
from tests.benchmarks.flood import MIB, SAMPLE_SECONDS, rss, written
from tests.benchmarks.rig import channel, used_by
from tests.support.deployment import Deployment, Service
from tests.support.ports import free_port
from tests.support.rabbitmq import running_node
from tests.support.waiting import eventually

EVENTS = 1_000_000
NEWS = OVERLAP // STEP + 1
"""The last minute of what is there at the first start is no history."""
REFRESHER = "osevents.refresher"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: when, how many rows there were, how large the catcher was."""

    at: float
    rows: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What loading history showed."""

    events: int
    rows: int
    reread: int
    """Events that the API gave more than once, after the catcher was killed."""
    samples: Sequence[Sample]
    cpu_microseconds: Mapping[str, float]
    """Of each part, for each event."""

    @property
    def per_second(self) -> float:
        """Rows a second between the first and the last tenth, without the restart."""
        rates = [
            (after.rows - before.rows, after.at - before.at)
            for before, after in zip(self.samples, self.samples[1:], strict=False)
            if self.rows * 0.1 < before.rows < self.rows * 0.9 and before.rss_bytes
        ]
        return sum(rows for rows, _ in rates) / sum(seconds for _, seconds in rates)

    def rss_mib(self, low: float, high: float) -> float:
        """Return the catcher's highest resident size between two shares of the rows."""
        sizes = [s.rss_bytes for s in self.samples if low <= s.rows / self.rows <= high]
        return max(sizes) / MIB


@asynccontextmanager
async def _server(count: int) -> AsyncIterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: ASYNC220 - started once
        [sys.executable, "-m", "tests.benchmarks.events_server", str(count), str(port)],
        env=os.environ,
    )

    async def answers() -> bool:
        try:
            return await asyncio.to_thread(_served, url) == 0
        except OSError:
            return False

    try:
        await eventually(answers, what="the server of events answers")
        yield url, process
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def _served(url: str) -> int:
    with urlopen(f"{url}/served", timeout=10) as answer:
        return int(answer.read())


@asynccontextmanager
async def _acknowledged_at_once(url: str) -> AsyncIterator[None]:
    """Read the refresher's queue, as whoever has nothing to do with history."""
    async with channel(url) as opened:
        await opened.set_qos(prefetch_count=200)
        queue = await opened.declare_queue(REFRESHER, passive=True)
        await queue.consume(_nothing, no_ack=True)
        yield


async def _nothing(_message: AbstractIncomingMessage) -> None:
    """Do nothing."""


async def catch_up(events: int) -> Result:
    """Load that many events of history; kill the catcher when half of them are there."""
    with TemporaryDirectory(prefix="osevents-bench-") as name, running_node() as node:
        directory = Path(name)
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as database_url, _server(events) as (api, server):
            await migrate(database_url)
            deployment = Deployment(directory, _configuration(node.url(), database_url))
            deployment.write()
            _write_clouds_yaml(directory, api)
            try:
                async with Database.open(database_url, application="osevents-bench") as database:
                    processor = deployment.add("processor")
                    processor.start()
                    await processor.ready()
                    async with _acknowledged_at_once(node.url()):
                        samples = await _load(deployment, processor, events)
                    postmaster = directory / "postgres" / "postmaster.pid"
                    assert processor.process is not None
                    used = {
                        "server of events": server.pid,
                        "RabbitMQ": node.pid,
                        "PostgreSQL": int(postmaster.read_text().split()[0]),
                        "processor": processor.process.pid,
                    }
                    cpu = {who: used_by(psutil.Process(pid)) for who, pid in used.items()}
                    rows = await _rows(database)
                    served = await asyncio.to_thread(_served, api)
            finally:
                deployment.close()
    return Result(
        events=events,
        rows=rows,
        reread=served - (events - NEWS),
        samples=samples,
        cpu_microseconds={who: 1e6 * seconds / events for who, seconds in cpu.items()},
    )


async def _load(deployment: Deployment, processor: Service, events: int) -> list[Sample]:
    catcher = deployment.add("catcher")
    catcher.start()
    samples: list[Sample] = []
    killed = False
    async with asyncio.timeout(3600):
        while not samples or samples[-1].rows < events:
            await asyncio.sleep(SAMPLE_SECONDS)
            rows = await asyncio.to_thread(written, processor)
            samples.append(Sample(time.perf_counter(), rows, rss(catcher)))
            if not killed and rows >= events // 2:
                killed = True
                catcher.kill()
                samples.append(Sample(time.perf_counter(), rows, 0))
                catcher.start()
    return samples


async def _rows(database: Database) -> int:
    return int(await database.fetch_value("select count(*) from events where service = 'compute'"))


def _configuration(broker: str, database: str) -> dict[str, object]:
    cloud = {"name": "old", "source": "panko", "history": "all", "poll_interval": "5s"}
    return {"database": {"url": database}, "bus": {"url": broker}, "clouds": [cloud]}


def _write_clouds_yaml(directory: Path, api: str) -> None:
    auth = {
        "auth_url": f"{api}/v3",
        "username": "admin",
        "password": "admin",
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    cloud = {"auth_type": "v3password", "auth": auth, "region_name": "RegionOne"}
    (directory / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"old": cloud}}))


def report(result: Result) -> list[str]:
    """Return the lines to print."""
    return [
        f"catching up with {result.events} events of history, the catcher killed half way",
        f"  timeline rows        {result.per_second:8.0f} /s, {result.rows} of them at the end",
        f"  asked for again      {result.reread:8d} events",
        f"  catcher, MiB early   {result.rss_mib(0.05, 0.2):8.0f}",
        f"  catcher, MiB at most {result.rss_mib(0.2, 1.0):8.0f}",
        "  processor time for each event:",
        *(f"    {who:<18} {us:7.1f} us" for who, us in result.cpu_microseconds.items()),
    ]


async def bench() -> list[str]:
    """Run it in full."""
    return report(await catch_up(EVENTS))
