"""Whatever silences a cloud's APIs, it shows before long, and events come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from services.catcher.service import Catcher
from services.cli.running.plans import watched_cloud
from services.cli.running.webhooks import listener_of
from services.simulator.app import Simulator
from services.simulator.settings import APIMisbehaviour, Misbehaviour, Service, SimulatorSettings
from shared.clock import SystemClock
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings
from shared.store.database import Database
from tests.support.catching import Taken, desk_of
from tests.support.waiting import eventually

CLOCK = SystemClock()
SHOWS_SECONDS = 60
"""Within 10 s where there is time for everybody."""
HEALED_SECONDS = 90


@dataclass(frozen=True)
class Watched:
    """A running catcher of one cloud that is polled, as an operator sees it."""

    simulator: Simulator
    catcher: Catcher
    bus: Taken

    def silence(self, *services: Service) -> None:
        """Let every call to these services fail from now on."""
        failing = APIMisbehaviour(failing=1, status=500)
        apis = dict.fromkeys(services, failing)
        self.simulator.state.misbehave(Misbehaviour(apis=apis))

    def forget_tokens(self) -> None:
        """Have every token expire, so that Keystone is needed."""
        self.simulator.state.tokens.revoke_all()

    async def shows(self, *, blind: bool) -> None:
        async def so() -> bool:
            state = self.catcher.states.get("prod")
            return state is not None and (state.trouble is not None) == blind

        what = f"the cloud is {'' if blind else 'not '}blind: {self.catcher.states}"
        await eventually(so, what=what, seconds=SHOWS_SECONDS if blind else HEALED_SECONDS)

    async def hears_again(self) -> None:
        before = len(self.bus.ids)

        async def heard() -> bool:
            return len(self.bus.ids) > before

        await eventually(heard, what="events come again", seconds=HEALED_SECONDS)


@pytest.fixture
async def watched(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    async with watching(database, tmp_path, monkeypatch) as watched:
        await watched.shows(blind=False)
        await watched.hears_again()
        yield watched


@asynccontextmanager
async def watching(
    database: Database, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    settings = SimulatorSettings(servers=3, rate=10)
    async with Simulator.open(settings, clock=CLOCK, random=Random(1)) as simulator:
        simulator.write_clouds_yaml(directory / "clouds.yaml", "prod")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(directory / "clouds.yaml"))
        cloud = CloudSettings.model_validate(
            {"name": "prod", "source": "panko", "poll_interval": "200ms"}
        )
        bus, stop = Taken(), asyncio.Event()
        catcher = Catcher(
            clouds=[watched_cloud(cloud, listener_of(Settings()), clock=CLOCK, random=Random(2))],
            desk=desk_of(bus, database),
            instance="test",
            heartbeat_interval=None,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(catcher.run(stop))
            try:
                yield Watched(simulator, catcher, bus)
            finally:
                stop.set()


async def test_panko_that_answers_500(watched: Watched) -> None:
    watched.silence("event")
    await watched.shows(blind=True)

    watched.silence()
    await watched.shows(blind=False)
    await watched.hears_again()


async def test_keystone_that_is_down_when_a_token_has_to_be_renewed(watched: Watched) -> None:
    watched.silence("identity")
    watched.forget_tokens()
    await watched.shows(blind=True)

    watched.silence()
    await watched.shows(blind=False)
    await watched.hears_again()
