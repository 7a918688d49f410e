"""The simulated cloud, as `osevents up --simulate` and `osevents simulator` run it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from pydantic import ValidationError

from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import Clock
from shared.errors import Misconfigured, Problem
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings

CLOUD = "simulated"
"""What the simulated cloud is called unless told otherwise."""


def simulator_settings(section: Mapping[str, Any]) -> SimulatorSettings:
    """Check the `simulator:` section; raises Misconfigured with everything that is wrong."""
    try:
        return SimulatorSettings.model_validate(section)
    except ValidationError as error:
        raise Misconfigured(
            [
                Problem(
                    ".".join(("simulator", *map(str, problem["loc"]))),
                    f"{problem['msg']}, not {problem['input']!r}",
                )
                for problem in error.errors()
            ]
        ) from error


@asynccontextmanager
async def simulated_cloud(
    settings: SimulatorSettings, clouds_yaml: Path, name: str, *, clock: Clock, random: Random
) -> AsyncIterator[Simulator]:
    """Run a simulated cloud and write the clouds.yaml with which openstacksdk finds it."""
    async with Simulator.open(settings, clock=clock, random=random) as simulator:
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
