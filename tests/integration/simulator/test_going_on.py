"""A simulated cloud that is stopped and started goes on where it stopped."""

from pathlib import Path
from random import Random

import pytest
from yarl import URL

from services.simulator.app import Simulator
from services.simulator.life.life import Rate
from services.simulator.notification import Json
from services.simulator.saved import StateFile
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from tests.support.waiting import eventually

KINDS = ("server", "port", "network", "volume", "floating_ip", "security_group", "image", "project")


class Sent:
    """Every notification, in order."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        del exchange, topic
        self.ids.append(message["message_id"])


@pytest.fixture
def state_file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "simulator.state")


@pytest.fixture
def sent() -> Sent:
    return Sent()


async def live(state_file: StateFile, sent: Sent, **settings: int) -> tuple[dict[str, Json], bool]:
    """Run a cloud until it has sent some notifications; return its objects and whether it is old.

    It is stopped in the midst of things: what is in flight then has to come to its end.
    """
    wanted = SimulatorSettings.model_validate({"servers": 20, "rate": 0} | settings)
    before = len(sent.ids)
    async with Simulator.open(
        wanted, clock=SystemClock(), random=Random(7), notifier=sent, state_file=state_file
    ) as simulator:
        assert not state_file.path.exists(), "a killed cloud must not go on from its past"
        simulator.state.life.start(Rate(operations=100))
        simulator.state.wake()

        async def enough() -> bool:
            return len(sent.ids) > before + 50 and simulator.state.life.in_flight > 0

        await eventually(enough, what="the cloud has lived")
    assert simulator.state.life.in_flight == 0
    assert not simulator.state.world.held
    return {kind: simulator.truth(kind) for kind in KINDS}, simulator.goes_on


async def test_the_second_run_begins_with_what_the_first_one_left(
    state_file: StateFile, sent: Sent
) -> None:
    left, old = await live(state_file, sent)
    assert not old
    events = len(sent.ids)

    settings = SimulatorSettings(rate=0)
    async with Simulator.open(
        settings, clock=SystemClock(), random=Random(8), state_file=state_file
    ) as simulator:
        assert simulator.goes_on
        assert {kind: simulator.truth(kind) for kind in KINDS} == left
        assert len(simulator.state.events.all()) == events


async def test_no_notification_of_three_runs_has_the_id_of_another(
    state_file: StateFile, sent: Sent
) -> None:
    for _ in range(3):
        await live(state_file, sent, seed=1)

    assert len(set(sent.ids)) == len(sent.ids)


async def test_a_cloud_that_cannot_start_is_still_there_for_the_next_try(
    state_file: StateFile, sent: Sent
) -> None:
    await live(state_file, sent)
    async with Simulator.open(
        SimulatorSettings(servers=0, rate=0), clock=SystemClock(), random=Random(1)
    ) as other:
        with pytest.raises(OSError, match="in use"):
            await live(state_file, sent, port=URL(other.url).port or 0)

    _, old = await live(state_file, sent)
    assert old


async def test_without_a_state_and_without_a_seed_no_two_clouds_are_alike() -> None:
    ids = []
    for number in range(2):
        async with Simulator.open(
            SimulatorSettings(servers=3, rate=0), clock=SystemClock(), random=Random(number)
        ) as simulator:
            ids.append(set(simulator.truth("server")))

    assert len(ids[0]) == 3
    assert not ids[0] & ids[1]
