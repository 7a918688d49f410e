"""What a call asks for: from its options to a story and a pace."""

import difflib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice, repeat
from random import Random
from typing import Any, BinaryIO

import click

from services.cli.publish.made import Timed
from services.cli.publish.origins import Wanted, recorded, told
from services.simulator.scenarios.load import load_scenario
from shared.catalogue.catalogue import Catalogue
from shared.clock import SystemClock
from shared.event import Flavour
from shared.pacing import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of one call, as click gives them."""

    event_type: str | None
    recording: BinaryIO | None
    scenario: str | None
    to: str
    cloud: str | None
    flavour: str | None
    fields: tuple[str, ...]
    payload: str | None
    priority: str | None
    count: int
    rate: float | None
    ramp: timedelta
    speed: float
    keep_ids: bool
    keep_times: bool


def story(asked: Asked, catalogue: Catalogue, random: Random) -> Iterator[Timed]:
    """Return what is to be sent; raises UsageError for what cannot be."""
    given = [asked.event_type, asked.recording, asked.scenario]
    if sum(each is not None for each in given) != 1:
        raise click.UsageError("give one of TYPE, --recording FILE and --scenario NAME")
    now = SystemClock().now()
    if asked.scenario is not None:
        return told(load_scenario(asked.scenario), now=now, random=random)
    if asked.recording is not None:
        once = list(recorded(asked.recording.read(), catalogue, asked.recording.name))
        _check_flavours({made.notification.flavour for _, made in once}, asked.to)
        return chain.from_iterable(repeat(once, asked.count))
    assert asked.event_type is not None, "one of the three is given"
    wanted = Wanted(
        event_type=asked.event_type,
        flavour=Flavour(asked.flavour) if asked.flavour else None,
        values=_values(asked.fields),
        payload=_object(asked.payload),
        priority=asked.priority,
    )
    _check_flavours({wanted.flavour}, asked.to)
    return islice(wanted.made(catalogue, random, now), asked.count)


def doubt(asked: Asked, catalogue: Catalogue) -> str | None:
    """Return what to say of a TYPE that is sent although the catalogue has no such name."""
    if asked.event_type is None or catalogue.lookup(asked.event_type).known:
        return None
    types = [entry.type for entry in catalogue.entries()]
    near = difflib.get_close_matches(asked.event_type, types, n=1)
    hint = f"did you mean {near[0]}?" if near else "osevents catalogue shows the types"
    return f"no catalogue entry names {asked.event_type!r}, so what it tells is guessed; {hint}"


def pace(asked: Asked) -> Pace | None:
    """Return the pace; None for a scenario in its own time."""
    if asked.rate is not None:
        return Pace(asked.rate, asked.ramp.total_seconds())
    if asked.ramp:
        raise click.UsageError("--ramp says how the rate is reached, so give --rate, too")
    return None if asked.scenario is not None else Pace(math.inf)


def _check_flavours(flavours: Collection[Flavour | None], to: str) -> None:
    if to == "openstack" and Flavour.TRAITS in flavours:
        raise click.UsageError(
            "events of Panko have only traits and never were on OpenStack's broker; use --to bus"
        )


def _values(fields: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for field in fields:
        name, is_given, value = field.partition("=")
        if not is_given or not name:
            raise click.UsageError(f"--field {field!r}: write NAME=VALUE, such as name=vm-1")
        values[name] = value
    return values


def _object(text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--payload is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError(f"--payload is a JSON {type(value).__name__}, not an object")
    return value
