"""Plays a scenario: yields the notifications of its services, each with its moment. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from services.simulator.dialect import Dialect
from services.simulator.life.incident_choices import INCIDENTS
from services.simulator.life.life import STANDARD_LIFE, Life, Rate
from services.simulator.notification import Notification
from services.simulator.population import populate
from services.simulator.scenarios.model import Beginning, Scenario, Step
from services.simulator.world import World

_CHOICES = {choice.name: choice for choice in (*STANDARD_LIFE, *INCIDENTS)}

Told = tuple[timedelta, Notification]
"""When after the beginning, and what."""


def play(scenario: Scenario, *, began: datetime, random: Random) -> Iterator[Told]:
    """Yield what the cloud's services tell, in order, from a beginning at `began`.

    What cannot be done because there is nothing to do it to is passed over, as the users of a cloud
    would. `random` is used when the scenario has no seed.
    """
    seeded = random if scenario.seed is None else Random(scenario.seed)  # noqa: S311 - no secret
    world = World(seeded, began, _dialect(scenario.cloud))
    populate(world, scenario.cloud.servers)
    life = Life(world, origin=began, pace=1)
    for at, step in _moments(scenario.steps):
        yield from _until(life, at.total_seconds())
        if step is None:
            life.stop()
        elif step.do is None:
            life.start(Rate(operations=step.operations_per_second))
        else:
            # The story decides how many servers there are; the life shall not lean to a number.
            world.usual_servers = len(world.servers)
            life.undertake(_CHOICES[step.do])
    while (due := life.due()) is not None:
        yield from _until(life, due)


def _moments(steps: tuple[Step, ...]) -> list[tuple[timedelta, Step | None]]:
    """Return what begins when, in order of time; None where ordinary life ends."""
    moments: list[tuple[timedelta, Step | None]] = []
    for step in steps:
        each = step.within / step.times
        moments += [(step.at + number * each, step) for number in range(step.times)]
        if step.live is not None:
            moments.append((step.at + step.live, None))
    return sorted(moments, key=lambda moment: moment[0])


def _until(life: Life, elapsed: float) -> Iterator[Told]:
    for notification in life.advance(elapsed):
        yield timedelta(seconds=life.elapsed), notification


def _dialect(cloud: Beginning) -> Dialect:
    return Dialect(
        legacy=cloud.notification_format != "versioned",
        versioned=cloud.notification_format != "unversioned",
        cinder_exchange=cloud.cinder_exchange,
    )
