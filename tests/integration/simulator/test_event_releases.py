"""Every release of the Events API that the simulator plays, read by the real source."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import yaml

from services.catcher.sources.ceilometer import Ceilometer
from services.catcher.sources.events_api import Reader
from services.catcher.sources.panko import Panko
from services.catcher.sources.polled import PolledSource
from services.simulator.api.event_release import RELEASES
from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from shared.errors import CloudRefused
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.openstack.sending import Limits
from tests.support.events_api import MemoryCheckpoint
from tests.support.polling import AT_ONCE, Gaps, read
from tests.support.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CLOCK = SystemClock()
OPERATIONS = ("boot server", *("create project",) * 3, "boot server")


async def happened(simulator: Simulator) -> list[str]:
    """Let something happen; return the ids of all events that an administrator may see."""
    for operation in OPERATIONS:
        assert simulator.state.life.begin(operation)
        simulator.state.wake()

    async def idle() -> bool:
        return not simulator.state.life.in_flight

    await eventually(idle, what="the operations ended")
    release = RELEASES[simulator.state.settings.events_release]
    own = next(u.project_id for u in simulator.state.world.users if u.name == "admin")
    return [
        event.position[1]
        for event in simulator.state.events.all()
        if release.all_tenants or event.project_id in {None, own}
    ]


@pytest.fixture(params=list(RELEASES))
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    settings = SimulatorSettings(servers=5, rate=0, pace=0, events_release=request.param, seed=1)
    async with Simulator.open(settings, clock=CLOCK, random=Random(7)) as simulator:
        yield simulator


@pytest.fixture
async def client(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CloudClient]:
    """A client that logs in at Keystone v2.0 where the release is of its time."""
    path = tmp_path / "clouds.yaml"
    simulator.write_clouds_yaml(path, "prod")
    if RELEASES[simulator.state.settings.events_release].service_type == "metering":
        cloud = {
            "auth_type": "v2password",
            "identity_api_version": "2.0",
            "region_name": "RegionOne",
            "auth": {
                "auth_url": f"{simulator.url}/identity/v2.0",
                "username": "admin",
                "password": "simulated",
                "tenant_name": simulator.state.world.projects[
                    next(u.project_id for u in simulator.state.world.users if u.name == "admin")
                ].name,
            },
        }
        path.write_text(yaml.safe_dump({"clouds": {"prod": cloud}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    async with CloudClient.open(
        load_cloud("prod"), clock=CLOCK, random=Random(1), limits=Limits(attempts=1)
    ) as client:
        yield client


async def test_the_source_learns_the_release_and_reads_everything_once(
    simulator: Simulator, client: CloudClient
) -> None:
    expected = await happened(simulator)
    ceilometer = RELEASES[simulator.state.settings.events_release].service_type == "metering"
    since = (CLOCK.now() - timedelta(minutes=5)).isoformat()
    news = PolledSource(
        Reader(client, Ceilometer() if ceilometer else Panko(), cloud="prod"),
        MemoryCheckpoint({"since": since, "newest": None, "first": None}),
        on_gap=Gaps(),
        poll_interval=timedelta(seconds=0.01),
        clock=CLOCK,
        random=Random(1),
        backoff=AT_ONCE,
    )

    seen = await read(news, len(expected), page=2)

    assert sorted(seen) == sorted(expected)
    assert len(expected) >= 3


@pytest.mark.parametrize("simulator", ["panko"], indirect=True)
async def test_a_cloud_without_ceilometer_says_what_to_use(client: CloudClient) -> None:
    reader = Reader(client, Ceilometer(), cloud="prod")

    with pytest.raises(Exception, match="choose another `source`"):
        await reader.oldest()


@pytest.mark.parametrize("simulator", ["kilo"], indirect=True)
async def test_a_member_is_told_that_kilo_shows_events_to_administrators(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.write_clouds_yaml(tmp_path / "clouds.yaml", "prod", user="demo")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    async with CloudClient.open(
        load_cloud("prod"), clock=CLOCK, random=Random(1), limits=Limits(attempts=1)
    ) as client:
        with pytest.raises(CloudRefused, match="role `admin`"):
            await Reader(client, Ceilometer(), cloud="prod").get_acquainted()
