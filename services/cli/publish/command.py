"""The command itself: its options, and what it says when it is done."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any

import click

from services.cli.output import Format, format_option, print_json, print_rows
from services.cli.parameters import DurationType
from services.cli.publish.asked import Asked, doubt, pace, story
from services.cli.publish.destination import destination, required
from services.cli.publish.made import Stamp
from services.cli.publish.sending import Sending, Sent
from services.cli.running.composition import catalogue_of
from services.cli.stored import Place
from services.simulator.scenarios.load import shipped
from shared.clock import SystemClock
from shared.event import Flavour
from shared.runtime.logs import configure_logs
from shared.runtime.run import run
from shared.runtime.settings import load_settings

SINKS = ("bus", "openstack", "stdout")
PROGRESS_SECONDS = 1.0


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
@format_option("How the summary is printed.")
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
    settings = load_settings(config, os.environ, require=required(asked.to, place))
    configure_logs(level="warning", as_json=False, service="publish", instance=str(os.getpid()))
    random, catalogue = SystemRandom(), catalogue_of(settings)
    events, at_pace = story(asked, catalogue, random), pace(asked)
    if doubtful := doubt(asked, catalogue):
        click.echo(f"osevents: {doubtful}", err=True)
    opening = destination(asked, settings, place, catalogue, random)
    sent: list[Sent] = []

    async def main(stop: asyncio.Event) -> None:
        async with opening as sink:
            sending = Sending(
                sink=sink,
                stamp=Stamp(random=random, keep_ids=asked.keep_ids, keep_times=asked.keep_times),
                pace=at_pace,
                speed=asked.speed,
                clock=SystemClock(),
                elapsed=time.monotonic,
                progress=Progress(time.monotonic),
            )
            sent.append(await sending.run(events, stop))
        stop.set()

    code = run(main, drain_timeout=settings.drain_timeout)
    for each in sent:
        _tell(each, asked.to, format_)
    return code


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
