"""Running services take over a changed list of clouds, and each other's sources."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import yaml

from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from tests.support.deployment import Deployment, Service
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
async def deployment(
    rabbit_vhost: RabbitVhost, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """A deployment of one cloud, while two are there to be watched."""
    settings = SimulatorSettings(servers=2, rate=20)
    async with Simulator.open(settings, clock=SystemClock(), random=Random(1)) as simulator:
        clouds: dict[str, object] = {}
        for name in ("one", "two"):
            simulator.write_clouds_yaml(tmp_path / f"{name}.yaml", name)
            clouds |= yaml.safe_load((tmp_path / f"{name}.yaml").read_text())["clouds"]
        (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": clouds}))
        made = Deployment(
            tmp_path,
            {
                "database": {"url": database_url, "connections": 4},
                "bus": {"url": rabbit_vhost.url},
                "clouds": [cloud("one")],
            },
        )
        made.write()
        yield made
        made.tell()
        made.close()


def cloud(name: str) -> dict[str, str]:
    return {"name": name, "source": "panko", "poll_interval": "100ms"}


async def figure(service: Service, name: str) -> float | None:
    _, page = await asyncio.to_thread(service.get, "/metrics")
    for line in page.splitlines():
        if line.startswith(name + " "):
            return float(line.rpartition(" ")[2])
    return None


async def shows(service: Service, name: str, value: float | None) -> None:
    async def so() -> bool:
        return await figure(service, name) == value

    await eventually(so, what=f"{name} is {value}; see {service.log}")


async def test_clouds_come_and_go_while_the_others_are_read(deployment: Deployment) -> None:
    deployment.run("migrate", "--config", str(deployment.config))
    catcher = deployment.add("catcher")
    catcher.start()
    await shows(catcher, 'osevents_cloud_blind{cloud="one"}', 0)

    deployment.configuration["clouds"].append(cloud("two"))
    deployment.write()
    await shows(catcher, 'osevents_cloud_blind{cloud="two"}', 0)

    deployment.write_text("clouds: [")
    await shows(catcher, "osevents_configuration_valid", 0)
    assert await figure(catcher, 'osevents_cloud_blind{cloud="one"}') == 0

    deployment.configuration["clouds"] = [cloud("two")]
    deployment.write()
    assert catcher.process is not None
    catcher.process.send_signal(signal.SIGHUP)
    await shows(catcher, 'osevents_cloud_blind{cloud="one"}', None)
    await shows(catcher, 'osevents_cloud_blind{cloud="two"}', 0)

    opened = catcher.log.read_text().count('"source_chosen"')
    assert opened == 2, "each cloud was begun once"
    assert catcher.stop() == 0


async def test_the_refresher_follows_too(deployment: Deployment) -> None:
    deployment.run("migrate", "--config", str(deployment.config))
    refresher = deployment.add("refresher")
    refresher.start()
    kind = 'osevents_full_passes_total{cloud="%s",kind="server",state="done"}'
    await shows(refresher, kind % "one", 1)

    deployment.configuration["clouds"].append(cloud("two"))
    deployment.write()
    await shows(refresher, kind % "two", 1)

    assert await figure(refresher, kind % "one") == 1, "the first was not begun anew"
    assert refresher.stop() == 0


async def test_a_polled_source_of_a_copy_that_dies_is_read_by_another(
    deployment: Deployment,
) -> None:
    deployment.run("migrate", "--config", str(deployment.config))
    up = 'osevents_source_up{cloud="one",source="panko"}'
    first, second = deployment.add("catcher"), deployment.add("catcher")
    first.start()
    await shows(first, up, 1)
    second.start()
    await second.ready()
    assert await figure(second, up) is None, "one copy reads at a time"

    first.kill()
    await shows(second, up, 1)
