"""A scenario as it stands in a YAML file: a cloud to begin with, and steps in time."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.simulator.life.incident_choices import INCIDENTS
from services.simulator.life.life import STANDARD_LIFE
from shared.runtime.durations import parse_duration

_DEEDS = tuple(choice.name for choice in (*STANDARD_LIFE, *INCIDENTS))
_MOST_TIMES = 1_000_000


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Beginning(_Section):
    """The cloud before the first step; it tells nothing of itself."""

    servers: Annotated[int, Field(ge=1, le=200_000)] = 20
    """Everything else is in proportion."""
    notification_format: Literal["unversioned", "versioned", "both"] = "unversioned"
    """Nova's setting of that name."""
    cinder_exchange: str = "openstack"
    """Cinder's `control_exchange`."""


class Step(_Section):
    """Either something that is done, once or several times, or a while of ordinary life."""

    at: timedelta = timedelta()
    """Since the beginning of the scenario."""
    do: str | None = None
    """What happens, as the simulated cloud's life calls it: `boot server`, `host fails`, ..."""
    times: Annotated[int, Field(ge=1, le=_MOST_TIMES)] = 1
    within: timedelta = timedelta()
    """Over how long the times are spread, evenly."""
    live: timedelta | None = None
    """For how long the cloud lives by itself: everything happens, in the usual mix."""
    operations_per_second: Annotated[float, Field(gt=0)] = 1
    """How much happens in that while."""

    @field_validator("at", "within", "live", mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        return parse_duration(value) if isinstance(value, str) else value

    @field_validator("do")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in _DEEDS:
            raise ValueError(f"{value!r} is nothing that can be done; there are: {_told()}")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.do is None) == (self.live is None):
            raise ValueError("a step has either `do` (what happens) or `live` (for how long)")
        return self


class Scenario(_Section):
    """What happens to a cloud."""

    about: str
    """One sentence for people."""
    cloud: Beginning = Beginning()
    seed: int | None = None
    """The same seed tells the same story with the same ids; absent: another one each time."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


def _told() -> str:
    return ", ".join(sorted(_DEEDS))
