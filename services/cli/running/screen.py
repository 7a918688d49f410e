"""What `osevents up` shows: live on a terminal, a line every few seconds elsewhere, a summary."""

import asyncio
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from services.cli.output import cell
from services.cli.running.composition import Parts
from shared.errors import Transient
from shared.runtime.figures import Figures, figures_of
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory, KindCount
from shared.store.summary import Recent, Summary
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow
from shared.waiting import pause

LIVE_INTERVAL = timedelta(milliseconds=500)
LINE_INTERVAL = timedelta(seconds=5)
LAG_WINDOW = timedelta(minutes=1)
EVENTS_SHOWN = 14
_KINDS_MOST = 12
LEVEL_STYLES = {"critical": "bold", "warning": "yellow", "detail": "dim"}


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is on the screen at one moment."""

    at: datetime
    running: timedelta
    figures: Figures
    events_per_second: float
    recent: list[Recent]
    inventory: list[KindCount]
    dead: int
    """Dead letters of every origin that are kept now."""
    latest: list[TimelineRow] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Return a metric's value over all clouds."""
        return int(self.figures.get(name, 0))

    @property
    def lag(self) -> str:
        """Return the lag of the worst cloud lately, median and p99."""
        if not self.recent:
            return "-"
        median = max(recent.lag_median_seconds for recent in self.recent)
        p99 = max(recent.lag_p99_seconds for recent in self.recent)
        return f"{median:.2f} s median, {p99:.2f} s p99"

    @property
    def calls_per_1000_events(self) -> str:
        """Return how many API calls a thousand events cost."""
        caught = self.total("osevents_caught_total")
        calls = self.total("osevents_api_calls_total")
        return f"{1000 * calls / caught:.0f}" if caught else "-"


@dataclass(slots=True)
class Screen:
    """Looks at a running `up` and shows it."""

    parts: Parts
    title: str
    started: datetime
    _last: tuple[datetime, int] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Show until `stop` is set."""
        if sys.stdout.isatty():
            await self._live(stop)
        else:
            await self._lines(stop)

    async def view(self) -> View:
        """Look at everything now."""
        now = self.parts.clock.now()
        figures = figures_of(self.parts.registry)
        database = self.parts.database
        return View(
            at=now,
            running=now - self.started,
            figures=figures,
            events_per_second=self._rate(now, int(figures.get("osevents_caught_total", 0))),
            recent=await Summary(database).recent(now - LAG_WINDOW),
            inventory=await Inventory(database).counts(),
            dead=sum(count.count for count in await DeadLetters(database).counts()),
            latest=await Timeline(database).find(TimelineFilter(), most=EVENTS_SHOWN),
        )

    def _rate(self, now: datetime, caught: int) -> float:
        last, self._last = self._last, (now, caught)
        if last is None or now <= last[0]:
            return 0.0
        return (caught - last[1]) / (now - last[0]).total_seconds()

    async def _live(self, stop: asyncio.Event) -> None:
        with Live(console=Console(), refresh_per_second=4, screen=False) as live:
            while not stop.is_set():
                try:
                    live.update(render(await self.view(), self.title))
                except Transient as error:
                    live.update(Text(f"the database is away: {error}"))
                await pause(LIVE_INTERVAL, stop)

    async def _lines(self, stop: asyncio.Event) -> None:
        print(self.title, flush=True)  # noqa: T201 - this is the program's output
        while not stop.is_set():
            await pause(LINE_INTERVAL, stop)
            try:
                print(line(await self.view()), flush=True)  # noqa: T201
            except Transient as error:
                print(f"the database is away: {error}", flush=True)  # noqa: T201


def line(view: View) -> str:
    """Return the view in one line."""
    waiting = view.total("osevents_targets_waiting")
    return (
        f"{view.at:%H:%M:%S}  caught {view.total('osevents_caught_total')}"
        f" ({view.events_per_second:.1f}/s)"
        f"  timeline {view.total('osevents_timeline_rows_total')}"
        f"  refreshed {view.total('osevents_targets_settled_total')}"
        f" with {view.total('osevents_api_calls_total')} API calls, {waiting} waiting"
        f"  lag {view.lag}"
    )


def render(view: View, title: str) -> RenderableType:
    """Return the view as it fills a terminal."""
    return Group(
        Text(f"{title}   running {_duration(view.running)}   Ctrl-C stops", style="bold"),
        "",
        _flow(view),
        "",
        _inventory(view),
        "",
        _events(view),
    )


def summary(view: View) -> str:
    """Return what is said at the end."""
    kinds = ", ".join(_living(view))
    seconds = max(1.0, view.running.total_seconds())
    average = replace(view, events_per_second=view.total("osevents_caught_total") / seconds)
    facts = [*_facts(average), ("inventory", kinds or "nothing")]
    return "\n".join(
        (f"ran {_duration(view.running)}", *(f"{name:<13} {text}" for name, text in facts))
    )


def _facts(view: View) -> list[tuple[str, str]]:
    total = view.total
    caught = (
        f"{total('osevents_caught_total')} events, {view.events_per_second:.1f}/s,"
        f" {total('osevents_unreadable_total')} unreadable,"
        f" {total('osevents_source_gaps_total')} gaps"
    )
    timeline = (
        f"{total('osevents_timeline_rows_total')} rows,"
        f" {total('osevents_timeline_duplicates_total')} duplicates met, lag {view.lag}"
    )
    refreshed = (
        f"{total('osevents_targets_settled_total')} targets,"
        f" {total('osevents_targets_waiting')} waiting"
    )
    calls = (
        f"{total('osevents_api_calls_total')} calls, full passes included"
        f" ({view.calls_per_1000_events} for 1000 events),"
        f" {total('osevents_tokens_total')} tokens fetched"
    )
    actions = (
        f"{total('osevents_action_tries_total')} tries, {total('osevents_actions_waiting')} waiting"
    )
    return [
        ("caught", caught),
        ("timeline", timeline),
        ("refreshed", refreshed),
        ("API", calls),
        ("actions", actions),
        ("dead letters", str(view.dead)),
    ]


def _flow(view: View) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="cyan")
    table.add_column()
    for name, text in _facts(view):
        table.add_row(name, text)
    return table


def _living(view: View) -> list[str]:
    """Return how much there is of each kind, the most first, and how many kinds are left out."""
    living = sorted((one for one in view.inventory if one.living), key=lambda one: -one.living)
    shown = [f"{count.living} {count.kind}" for count in living[:_KINDS_MOST]]
    left = len(living) - len(shown)
    return [*shown, f"and {left} kinds more"] if left > 0 else shown


def _inventory(view: View) -> Text:
    counts = "   ".join(_living(view))
    return Text(f"inventory   {counts or 'the first full pass is under way'}", style="green")


def _events(view: View) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("time", "type", "about", "name", "state"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    for row in view.latest:
        about = f"{row.subject_kind}/{row.subject_id}" if row.subject_kind else ""
        values = (cell(row.time)[11:], row.type, about, row.name, row.state)
        table.add_row(*(escape(cell(value)) for value in values), style=LEVEL_STYLES.get(row.level))
    return table


def _duration(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
