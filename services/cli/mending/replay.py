"""`osevents replay`: send a part of the timeline again, to one group of consumers."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any

import click

from services.cli.filtering import filter_of, filtered
from services.cli.handing import Sending, reached_bus
from services.cli.interrupts import stopped_by_signals
from services.cli.looking.events import pages
from services.cli.output import cell
from services.cli.parameters import PositionType, cursor_of
from services.cli.stored import Place
from shared.bus.rabbitmq import GROUPS, queue_of
from shared.clock import SystemClock
from shared.errors import BusUnavailable, OseventsError
from shared.event import Occasion
from shared.pacing import Pace
from shared.runtime.logs import configure_logs
from shared.runtime.settings import Settings, load_settings
from shared.store.timeline_rows import Position, TimelineRow
from shared.waiting import pause

MOST_AT_ONCE = 500
BATCHES_A_SECOND = 4
"""While the rate allows; fewer events a batch make a smoother flow."""
TELL_SECONDS = 2.0


@click.command()
@click.argument("group")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data directory of `osevents up`, to reach the bus within it.",
)
@filtered
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=200.0,
    show_default=True,
    help="So many a second.",
)
@click.option("--most", type=click.IntRange(min=1), help="Events at most; all by default.")
@click.option(
    "--after", type=PositionType(), metavar="CURSOR", help="Go on where an earlier call stopped."
)
def replay(
    *, group: str, config: Path | None, data: Path | None, rate: float, **asked: Any
) -> None:
    """Send a part of the timeline again to GROUP: processor, refresher, or a group of your own.

    The oldest first, marked as replayed; nobody else sees it. Rules do not fire on what is
    replayed unless they ask for it.
    """
    configure_logs(level="warning", as_json=False, service="replay", instance=str(os.getpid()))
    # The directory of an `osevents up` is enough: its bus is reached through its database.
    settings = load_settings(config, os.environ, require=set() if data else {"bus.url"})
    asyncio.run(_replay(settings, Place(config, data), group, rate, asked))


async def _replay(
    settings: Settings, place: Place, group: str, rate: float, asked: dict[str, Any]
) -> None:
    clock, stop = SystemClock(), asyncio.Event()
    asked["until"] = asked["until"] or clock.now()  # what comes meanwhile is no part of it
    async with (
        place.database() as database,
        reached_bus(settings, place, name="replay", clock=clock, random=SystemRandom()) as bus,
    ):
        which = await filter_of(database, asked)
        replaying = Replaying(
            bus=bus,
            group=group,
            pace=Pace(rate),
            elapsed=time.monotonic,
            tell=lambda text: click.echo(text, err=True),
            reached=asked["after"],
        )
        found = pages(database, which, "oldest", asked["after"], asked["most"])
        with stopped_by_signals(stop):
            try:
                await replaying.run(found, stop)
            except OseventsError as error:
                click.echo(replaying.told("stopped"), err=True)
                if replaying.sent or group in GROUPS or not isinstance(error, BusUnavailable):
                    raise error from None
                raise BusUnavailable(
                    f"{error}; is there a queue {queue_of(group)}? That of a group of your own is"
                    " yours to declare"
                ) from None
        click.echo(replaying.told("stopped" if stop.is_set() else "done"), err=True)


@dataclass(slots=True, kw_only=True)
class Replaying:
    """One replay: what was sent so far, and where it goes on."""

    bus: Sending
    group: str
    pace: Pace
    elapsed: Callable[[], float]
    """Seconds since some beginning, never going back."""
    tell: Callable[[str], None]
    """Told now and then, in one line, how far it is."""
    reached: Position | None = None
    """Everything up to here was taken by the bus."""
    sent: int = 0
    _told_at: float = field(default=0.0, init=False)

    async def run(self, found: AsyncIterator[list[TimelineRow]], stop: asyncio.Event) -> None:
        """Send what `found` yields until it ends, or `stop` is set: then to the end of a batch.

        Raises BusUnavailable when the bus does not take a batch; `reached` stands before it.
        """
        began = self._told_at = self.elapsed()
        size = max(1, min(MOST_AT_ONCE, int(self.pace.per_second / BATCHES_A_SECOND)))
        async for page in found:
            for start in range(0, len(page), size):
                ahead = self.pace.due_seconds(self.sent) - (self.elapsed() - began)
                if ahead > 0:
                    await pause(timedelta(seconds=ahead), stop)
                if stop.is_set():
                    return
                await self._send(page[start : start + size])

    async def _send(self, rows: list[TimelineRow]) -> None:
        await self.bus.publish_to(self.group, [row.event(Occasion.REPLAY) for row in rows])
        self.sent += len(rows)
        self.reached = rows[-1].position
        now = self.elapsed()
        if now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            self.tell(self.told("under way"))

    def told(self, how: str) -> str:
        """Return how far it is, in one line; with the cursor to go on with unless it is done."""
        text = f"{how}: {self.sent} events sent to {self.group}"
        if self.reached is None:
            return text
        text += f", up to {cell(self.reached.time)}"
        return text if how == "done" else f"{text}; go on with --after {cursor_of(self.reached)}"
