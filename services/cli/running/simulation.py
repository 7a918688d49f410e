"""The simulated cloud, as `osevents up --simulate` and `osevents simulator` run it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.simulator.app import Simulator
from services.simulator.saved import StateFile
from services.simulator.settings import SimulatorSettings
from shared.clock import Clock
from shared.errors import Misconfigured, Problem
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings

CLOUDS_YAML = "clouds.yaml"
CLOUD = "simulated"
"""What the simulated cloud is called unless told otherwise."""
STATE = "simulator.state"
"""Where in its data directory `osevents up` saves it."""
_SECRET = frozenset({"password", "transport_url"})


def simulator_settings(section: Mapping[str, Any]) -> SimulatorSettings:
    """Check the `simulator:` section; raises Misconfigured with everything that is wrong."""
    try:
        return SimulatorSettings.model_validate(section)
    except ValidationError as error:
        raise Misconfigured(
            [
                Problem(".".join(("simulator", *map(str, problem["loc"]))), _message(problem))
                for problem in error.errors()
            ]
        ) from error


def _message(problem: ErrorDetails) -> str:
    """Return what is wrong, with the value unless it is a secret or may be one."""
    if problem["type"] == "extra_forbidden":
        return f"is no setting; here are {', '.join(sorted(SimulatorSettings.model_fields))}"
    told = problem["msg"].replace("Input should be", "must be")
    given, name = problem["input"], str(problem["loc"][-1])
    if name in _SECRET or not isinstance(given, str | int | float):
        return told
    return f"{told}, not {given!r}"


def is_used(data: Path) -> bool:
    """Tell whether a cloud was ever simulated, or watched, with this data directory."""
    return any((data / name).exists() for name in (STATE, CLOUDS_YAML, "postgres"))


@asynccontextmanager
async def kept_cloud(
    settings: SimulatorSettings, data: Path, *, clock: Clock, random: Random
) -> AsyncIterator[Simulator]:
    """Run the simulated cloud of a data directory: the one that was saved there, else a new one.

    A seed makes the first cloud of a directory only. With the same seed a second one would repeat
    its ids, and what it tells would be taken for told already.
    """
    if is_used(data):
        settings = settings.model_copy(update={"seed": None})
    state_file = StateFile(data / STATE)
    async with simulated_cloud(
        settings, data / CLOUDS_YAML, CLOUD, clock=clock, random=random, state_file=state_file
    ) as simulator:
        yield simulator


@asynccontextmanager
async def simulated_cloud(
    settings: SimulatorSettings,
    clouds_yaml: Path,
    name: str,
    *,
    clock: Clock,
    random: Random,
    state_file: StateFile | None = None,
) -> AsyncIterator[Simulator]:
    """Run a simulated cloud and write the clouds.yaml with which openstacksdk finds it."""
    async with Simulator.open(
        settings, clock=clock, random=random, state_file=state_file
    ) as simulator:
        clouds_yaml.parent.mkdir(parents=True, exist_ok=True)
        simulator.write_clouds_yaml(clouds_yaml, name)
        yield simulator


def watching(settings: Settings, clouds_yaml: Path) -> Settings:
    """Return `settings` with the simulated cloud among the clouds to watch."""
    # openstacksdk looks nowhere else then; that is its documented way to be pointed at a file.
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(clouds_yaml)
    cloud = settings.cloud(CLOUD) or CloudSettings.model_validate(
        {
            "name": CLOUD,
            "source": "panko",
            # A person watches: ask every second, not every twenty.
            "poll_interval": "1s",
        }
    )
    others = tuple(other for other in settings.clouds if other.name != cloud.name)
    return settings.model_copy(update={"clouds": (*others, cloud)})
