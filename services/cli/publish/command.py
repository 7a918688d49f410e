"""The command itself: from its options to a story, a sink and a pace."""

import asyncio
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice, repeat
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, BinaryIO

import click

from services.cli.composition import catalogue_of
from services.cli.handing import Sending as Reached
from services.cli.handing import reached_bus
from services.cli.output import Format, print_json, print_rows
from services.cli.parameters import DurationType
from services.cli.publish.made import Stamp, Timed
from services.cli.publish.origins import Wanted, recorded, told
from services.cli.publish.sending import Sending, Sent, Sink
from services.cli.publish.sinks import BusSink, OutputSink, openstack_sink
from services.cli.stored import Place
from services.simulator.scenarios.load import load_scenario, shipped
from shared.amqp.transport_url import parse_transport_url
from shared.catalogue.catalogue import Catalogue
from shared.clock import SystemClock
from shared.errors import Misconfigured, Problem
from shared.event import Flavour
from shared.pacing import Pace
from shared.runtime.logs import configure_logs
from shared.runtime.run import run
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings, load_settings

SINKS = ("bus", "openstack", "stdout")
PROGRESS_SECONDS = 1.0


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


@click.command()
@click.argument("event_type", metavar="[TYPE]", required=False)
@click.option("--recording", type=click.File("rb"), help="Send what this file holds (- is input).")
@click.option("--scenario", help="Play this scenario: a name of --list-scenarios, or a YAML file.")
@click.option("--list-scenarios", is_flag=True, help="Show the scenarios that come with osevents.")
@click.option(
    "--to",
    type=click.Choice(SINKS),
    default="bus",
    show_default=True,
    help="The internal exchange, the services' exchanges on OpenStack's broker, or JSON lines.",
)
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data directory of `osevents up`, to reach the bus within it.",
)
@click.option("--cloud", help="The cloud they are of; needed when several are configured.")
@click.option(
    "--flavour",
    type=click.Choice([flavour.value for flavour in Flavour]),
    help="The format of a TYPE's payload; by default the first that the catalogue knows.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the payload of a TYPE says: id, name, state, server_id, ...; {n} is its number.",
)
@click.option("--payload", help="A JSON object, laid over the payload of a TYPE.")
@click.option(
    "--priority",
    type=click.Choice(["info", "warn", "error", "critical", "audit"]),
    help="The level of a TYPE; by default error for what tells of a failure, info for the rest.",
)
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many of a TYPE, or how often a recording is sent.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="So many a second.")
@click.option("--ramp", type=DurationType(), default=timedelta(), help="Reach the rate in this.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0,
              show_default=True, help="Play a scenario so many times faster.")  # fmt: skip
@click.option("--keep-ids", is_flag=True, help="Send a recording's own ids: repeats, on purpose.")
@click.option("--keep-times", is_flag=True, help="Send the recorded times instead of now.")
@click.option(
    "--format",
    "format_",
    type=click.Choice([each.value for each in Format]),
    default=Format.TABLE.value,
    show_default=True,
    callback=lambda _context, _option, value: Format(value),
    help="How the summary is printed.",
)
def publish(
    *,
    config: Path | None,
    data: Path | None,
    format_: Format,
    list_scenarios: bool,
    **options: Any,
) -> int:
    """Make synthetic events: of a TYPE, from a recording, or as a scenario tells them.

    They are always marked synthetic, visible as such, and no rule acts on them unless it says so.
    """
    if list_scenarios:
        rows = [{"scenario": name, "about": each.about} for name, each in shipped().items()]
        print_rows(rows, ("scenario", "about"), format_)
        return 0
    asked = Asked(**options)
    place = Place(config, data)
    settings = load_settings(config, os.environ, require=_required(asked.to, place))
    configure_logs(level="warning", as_json=False, service="publish", instance=str(os.getpid()))
    random, catalogue = SystemRandom(), catalogue_of(settings)
    story = _story(asked, catalogue, random)
    pace = _pace(asked)
    opening = _sink(asked, settings, place, catalogue, random)
    sent: list[Sent] = []

    async def main(stop: asyncio.Event) -> None:
        async with opening as sink:
            sending = Sending(
                sink=sink,
                stamp=Stamp(random=random, keep_ids=asked.keep_ids, keep_times=asked.keep_times),
                pace=pace,
                speed=asked.speed,
                clock=SystemClock(),
                elapsed=time.monotonic,
                progress=Progress(time.monotonic),
            )
            sent.append(await sending.run(story, stop))
        stop.set()

    code = run(main, drain_timeout=settings.drain_timeout)
    for each in sent:
        _tell(each, asked.to, format_)
    return code


def _required(to: str, place: Place) -> set[str]:
    if to == "bus":
        return {"bus.url"} if place.data is None else set()
    return {"clouds"} if to == "openstack" else set()


def _story(asked: Asked, catalogue: Catalogue, random: Random) -> Iterator[Timed]:
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


def _pace(asked: Asked) -> Pace | None:
    """Return the pace; None for a scenario in its own time."""
    if asked.rate is not None:
        return Pace(asked.rate, asked.ramp.total_seconds())
    if asked.ramp:
        raise click.UsageError("--ramp says how the rate is reached, so give --rate, too")
    return None if asked.scenario is not None else Pace(math.inf)


def _sink(
    asked: Asked, settings: Settings, place: Place, catalogue: Catalogue, random: Random
) -> AbstractAsyncContextManager[Sink]:
    if asked.to == "stdout":
        return nullcontext(OutputSink())
    cloud = _cloud(asked, settings)
    if asked.to == "openstack":
        if not cloud.amqp.transports:
            where = f"clouds[{cloud.name}].amqp.transports"
            raise Misconfigured([Problem(where, "is needed to publish to OpenStack's broker")])
        address = parse_transport_url(cloud.amqp.transports[0].reveal()).address()
        return openstack_sink(address)
    reaching = reached_bus(settings, place, name="publish", clock=SystemClock(), random=random)
    return _bus_sink(reaching, cloud.name, catalogue)


def _cloud(asked: Asked, settings: Settings) -> CloudSettings:
    names = [cloud.name for cloud in settings.clouds]
    name = asked.cloud or (names[0] if len(names) == 1 else None)
    if name is None:
        configured = ", ".join(names) or "none"
        raise click.UsageError(
            f"say with --cloud which cloud they are of; configured: {configured}"
        )
    cloud = settings.cloud(name)
    if cloud is None and asked.to == "openstack":
        raise click.UsageError(f"cloud {name!r} is not configured; there are: {', '.join(names)}")
    return cloud or CloudSettings(name=name)


@asynccontextmanager
async def _bus_sink(
    reaching: AbstractAsyncContextManager[Reached], cloud: str, catalogue: Catalogue
) -> AsyncIterator[Sink]:
    async with reaching as bus:
        yield BusSink(bus=bus, cloud=cloud, catalogue=catalogue, clock=SystemClock())


class Progress:
    """Tells a person at a terminal how far it is, about once a second."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._told_at = elapsed()

    def __call__(self, sent: int) -> None:
        """Take note that so many were sent."""
        if sys.stderr.isatty() and self._elapsed() - self._told_at >= PROGRESS_SECONDS:
            self._told_at = self._elapsed()
            click.echo(f"{sent:,} sent", err=True)


def _tell(sent: Sent, to: str, format_: Format) -> None:
    """Print the summary, unless standard output has the notifications themselves."""
    if to == "stdout":
        return
    rate = sent.notifications / sent.seconds if sent.seconds else 0.0
    if format_ is Format.JSON:
        print_json(
            [{"sent": sent.notifications, "seconds": sent.seconds, "per_second": rate, "to": to}]
        )
        return
    what = "event" if to == "bus" else "notification"
    ending = "" if sent.notifications == 1 else "s"
    click.echo(
        f"{sent.notifications:,} synthetic {what}{ending} published to {to}"
        f" in {sent.seconds:.1f} s ({rate:,.0f}/s)"
    )
