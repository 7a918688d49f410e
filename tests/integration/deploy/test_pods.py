"""The processes of deploy/kubernetes/base, with exactly their arguments, environment and files.

Started here instead of in a cluster, on a real broker and a real database: what a pod is given is
enough to become ready, and its grace period to end in order.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from tests.support.command_line import end_of, start
from tests.support.deployment import Service
from tests.support.kustomize import Manifest, render
from tests.support.pods import Process, processes
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

BASE = Path(__file__).parents[3] / "deploy" / "kubernetes" / "base"
CLOUD = "prod"
"""What the base's configuration calls it."""
LOOPBACK = {"OSEVENTS_HTTP__HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}

pytestmark = [pytest.mark.rabbitmq, pytest.mark.acceptance]


def secret(name: str, data: Mapping[str, str]) -> Manifest:
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {"kind": "Secret", "metadata": {"name": name}, "data": encoded}


@dataclass(slots=True)
class Pods:
    """The base's processes, led to a directory, and those that a test has started."""

    directory: Path
    processes: dict[str, Process]
    started: dict[str, Service] = field(default_factory=dict)

    async def migrate(self) -> str:
        """Run the job; return what it says."""
        job = self.processes["migrate"]
        process = start(*job.arguments, environment={**job.environment, **LOOPBACK})
        outcome = await asyncio.to_thread(end_of, process)
        assert outcome.code == 0, outcome.err
        return outcome.out

    def start(self, name: str) -> Service:
        """Start a service; its port is a free one, since several suites may run here."""
        pod = self.processes[name]
        service = Service(
            name=name,
            environment={**pod.environment, **LOOPBACK},
            log=self.directory / f"{name}.log",
            arguments=pod.arguments,
        )
        service.start()
        self.started[name] = service
        return service

    async def green(self, name: str, probe: str = "readiness") -> None:
        """Return when a probe of a service answers as the kubelet wants it."""
        path = self.processes[name].container[f"{probe}Probe"]["httpGet"]["path"]
        service = self.started[name]

        async def answers() -> bool:
            status, _ = await asyncio.to_thread(service.get, path)
            return 200 <= status < 400

        await eventually(answers, what=f"{probe} of {name}; see {service.log}", seconds=90)


@pytest.fixture
async def simulated(tmp_path: Path) -> AsyncIterator[str]:
    """The clouds.yaml of a simulated cloud that runs."""
    settings = SimulatorSettings(servers=5, seed=1)
    async with Simulator.open(settings, clock=SystemClock(), random=Random(1)) as simulator:
        simulator.write_clouds_yaml(tmp_path / "clouds.yaml", CLOUD)
        yield (tmp_path / "clouds.yaml").read_text()


@pytest.fixture
def pods(
    empty_database_url: str, rabbit_vhost: RabbitVhost, simulated: str, tmp_path: Path
) -> Iterator[Pods]:
    urls = {"database-url": empty_database_url, "bus-url": rabbit_vhost.url}
    manifests = [
        *render(BASE),
        secret("osevents-urls", urls),
        secret("osevents-clouds", {"clouds.yaml": simulated}),
    ]
    found = {
        process.container["name"]: process.below(tmp_path / process.workload)
        for process in processes(manifests)
    }
    given = Pods(tmp_path, found)
    yield given
    for service in given.started.values():
        service.kill()


async def test_the_pods_of_the_base_become_ready_work_and_stop_in_time(pods: Pods) -> None:
    early = pods.start("processor")
    assert early.process is not None
    code = await asyncio.to_thread(early.process.wait, 60)
    assert code == 2, "without its tables a service ends, to be started again"
    assert "osevents migrate" in early.log.read_text()

    assert "applied 0001_timeline" in await pods.migrate()
    for name in ("catcher", "processor", "refresher"):
        pods.start(name)
    for name in pods.started:
        await pods.green(name)
        await pods.green(name, "liveness")

    async def is_written() -> bool:
        _, text = await asyncio.to_thread(pods.started["processor"].get, "/metrics")
        return 'osevents_timeline_lag_seconds_count{cloud="prod"}' in text

    await eventually(is_written, what="an event of the cloud is on the timeline", seconds=60)

    for name, service in pods.started.items():
        began = time.monotonic()
        assert await asyncio.to_thread(service.stop) == 0, service.log.read_text()[-2000:]
        took = time.monotonic() - began
        assert took < pods.processes[name].pod["terminationGracePeriodSeconds"], name
