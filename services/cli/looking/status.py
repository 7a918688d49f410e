"""`osevents status`: whether it flows, what waits, what is wrong."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from services.cli.looking.drift import DRIFT_COLUMNS, drift
from services.cli.output import Format, print_json, print_rows, print_table
from services.cli.stored import looking, time_of
from services.processor.rules.watch import SERVICE as RULES
from services.refresher.budget import HEARTBEAT
from shared.runtime.durations import format_duration
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.outbox import Outbox
from shared.store.partitions import Partitions
from shared.store.passes import FullPasses, PassState
from shared.store.status import Heartbeat, Heartbeats
from shared.store.summary import Summary
from shared.store.targets import TargetQueue

LATELY = timedelta(minutes=10)
ALIVE = timedelta(seconds=15)
"""A copy that has been silent for longer is taken for gone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: about what, which figure, its value."""

    about: str
    what: str
    value: Any

    def row(self) -> dict[str, Any]:
        """Return the line as it is printed."""
        return {"about": self.about, "what": self.what, "value": self.value}


@looking
@click.option(
    "--drift", "only_drift", is_flag=True, help="What the latest full passes corrected, and why."
)
async def status(database: Database, format_: Format, *, only_drift: bool) -> None:
    """Show lag, rates, targets waiting, full passes, drift, dead letters."""
    if only_drift:
        print_rows(await drift(database), DRIFT_COLUMNS, format_)
        return
    lines = await gather(database, (await time_of(database)).now())
    rows = [line.row() for line in lines]
    if format_ is Format.JSON:
        print_json(rows)
    else:
        print_table(rows, ("about", "what", "value"))


async def gather(database: Database, now: datetime) -> list[Line]:
    """Return everything there is to say at `now`."""
    heartbeats = await Heartbeats(database).latest(now - ALIVE)
    whole = [beat for beat in heartbeats if beat.cloud is None and beat.service != RULES]
    return [
        *services(whole),
        *figures(whole),
        *clouds(heartbeats, now),
        *await _timeline(database, now),
        *apis([one for one in heartbeats if one.service == HEARTBEAT]),
        *await _refresh(database, now),
        *rules([beat for beat in heartbeats if beat.service == RULES]),
        *await _actions(database, now),
        *await _dead(database),
    ]


def rules(heartbeats: Sequence[Heartbeat]) -> Iterable[Line]:
    """Tell which rules the processors go by, and what is wrong with the files."""
    if not heartbeats:
        return
    yield Line("rules", "in force", max(int(beat.figures["loaded"]) for beat in heartbeats))
    if len({beat.figures["digest"] for beat in heartbeats}) > 1:
        told = ", ".join(f"{beat.instance} {beat.figures['digest']}" for beat in heartbeats)
        yield Line("rules", "differ between copies", told)
    broken = dict.fromkeys(problem for beat in heartbeats for problem in beat.figures["problems"])
    for problem in broken:
        yield Line("rules", "broken, older ones are in force", problem)


def services(heartbeats: Sequence[Heartbeat]) -> Iterable[Line]:
    """Tell how many copies of each service live."""
    copies: defaultdict[str, int] = defaultdict(int)
    for heartbeat in heartbeats:
        copies[heartbeat.service] += 1
    for service in ("catcher", "processor", "refresher"):
        yield Line(service, "copies alive", copies[service] + copies["up"])


LAGS = ("osevents_processor_heartbeat_lag_seconds", "osevents_refresher_heartbeat_lag_seconds")
SHOWN_FIGURES = {
    "osevents_caught_total": ("catcher", "events caught since start"),
    "osevents_filtered_total": ("catcher", "notifications dropped by filters since start"),
    "osevents_unreadable_total": ("catcher", "notifications unreadable since start"),
    "osevents_source_gaps_total": ("catcher", "gaps in sources since start"),
    "osevents_timeline_rows_total": ("processor", "timeline rows since start"),
    "osevents_timeline_duplicates_total": ("processor", "duplicates met since start"),
    "osevents_action_tries_total": ("processor", "tries of actions since start"),
    "osevents_api_calls_total": ("refresher", "API calls since start"),
    "osevents_tokens_total": ("refresher", "tokens fetched since start"),
}


def figures(heartbeats: Sequence[Heartbeat]) -> Iterable[Line]:
    """Sum what the living copies count, over the copies."""
    sums: defaultdict[str, float] = defaultdict(float)
    for heartbeat in heartbeats:
        for name, value in heartbeat.figures.items():
            sums[name] += value
    for name, (about, what) in SHOWN_FIGURES.items():
        if name in sums:
            yield Line(about, what, int(sums[name]))
    for name, value in sorted(sums.items()):
        if name.startswith(LAGS) and "{" in name:
            cloud = name.partition("{")[2].rstrip("}")
            service = name.split("_")[1]
            yield Line(cloud, f"heartbeat to {service}", f"{value:.3f} s")
        elif name.startswith("osevents_source_up{"):
            cloud = name.partition("{")[2].rstrip("}")
            yield Line(cloud, "sources up", int(value))
        elif name.startswith("osevents_filtered_total{"):
            cloud = name.partition("{")[2].rstrip("}")
            yield Line(cloud, "dropped by filters since start", int(value))
        elif name.startswith("osevents_history_events{"):
            cloud = name.partition("{")[2].rstrip("}")
            yield Line(cloud, "history", history_line(sums, cloud))


def history_line(figures: Mapping[str, float], cloud: str) -> str:
    """Return how far the loading of a cloud's history has come."""
    events = int(figures[f"osevents_history_events{{{cloud}}}"])
    share = figures.get(f"osevents_history_done_ratio{{{cloud}}}", 0.0)
    rate = figures.get(f"osevents_history_events_per_second{{{cloud}}}", 0.0)
    if share >= 1:
        return f"{events} events, all loaded"
    text = f"{events} events, {share:.0%} of its time, {rate:.0f}/s"
    left = figures.get(f"osevents_history_left_seconds{{{cloud}}}")
    return text if left is None else f"{text}, about {timedelta(seconds=round(left))} left"


def clouds(heartbeats: Sequence[Heartbeat], now: datetime) -> Iterable[Line]:
    """Tell how it stands with each cloud that a catcher watches; of several copies, each says so.

    A copy that only stands by has nothing to add to the one that reads.
    """
    watching = [beat for beat in heartbeats if beat.cloud and beat.service == "catcher"]
    reading = {beat.cloud for beat in watching if not beat.figures["standby"]}
    for beat in watching:
        told = beat.figures
        if told["standby"] and beat.cloud in reading:
            continue
        about = str(beat.cloud)
        yield Line(about, "source", f"{told['source'] or 'none'} ({told['why']})")
        if told["trouble"]:
            yield Line(about, "BLIND", told["trouble"])
        if told["silent_for"]:
            silent = format_duration(timedelta(seconds=round(told["silent_for"])))
            yield Line(about, "SILENT", f"for {silent}, longer than usual for this cloud")
        if told["missed_since"]:
            yield Line(about, "missed", f"perhaps, since {told['missed_since']}; not filled yet")
        if told["last"]:
            ago = (now - datetime.fromisoformat(told["last"])).total_seconds()
            yield Line(about, "last notification", f"{max(0.0, ago):.0f} s ago")


def apis(heartbeats: Sequence[Heartbeat]) -> Iterable[Line]:
    """Tell how each copy asks the clouds' services, which are left alone, and what is denied."""
    for heartbeat in heartbeats:
        about = f"{heartbeat.cloud} ({heartbeat.instance})"
        for service, budget in heartbeat.figures["services"].items():
            asked = f"{budget['calls']} calls, {budget['under_way']} under way"
            if budget["waiting"]:
                asked += f", {budget['waiting']} waiting for their budget"
            alone = budget["left_alone"]
            if alone is not None:
                asked += (
                    f"; left alone since {alone['since']}, tried again at {alone['look_at']}:"
                    f" {alone['reason']}"
                )
            yield Line(about, f"API of {service}", asked)
        for kind, denial in heartbeat.figures["not_permitted"].items():
            value = f"since {denial['since']}, tried again at {denial['until']}: {denial['reason']}"
            yield Line(about, f"{kind} may not be read", value)
        # Absent where the copy is of an earlier version.
        narrow = heartbeat.figures.get("own_project_only")
        if narrow:
            yield Line(about, "own project only", ", ".join(narrow))


async def _timeline(database: Database, now: datetime) -> list[Line]:
    minutes = int(LATELY.total_seconds() // 60)
    summary = Summary(database)
    weeks = await Partitions(database).weeks()
    lines = [
        Line("timeline", "weeks stored", len(weeks)),
        Line("timeline", "on disk", f"{sum(week.bytes for week in weeks) / 10**9:.2f} GB"),
    ]
    for recent in await summary.recent(now - LATELY):
        lines += [
            Line(recent.cloud, f"events in {minutes} minutes", recent.events),
            Line(recent.cloud, "newest event", recent.newest),
            Line(recent.cloud, "lag to timeline, median", f"{recent.lag_median_seconds:.3f} s"),
            Line(recent.cloud, "lag to timeline, p99", f"{recent.lag_p99_seconds:.3f} s"),
        ]
    return lines + [
        Line(unknown.cloud, f"unknown type {unknown.type}", unknown.events)
        for unknown in await summary.unknown_types(now - LATELY)
    ]


async def _refresh(database: Database, now: datetime) -> list[Line]:
    lines = [
        Line(count.cloud, f"inventory of {count.kind}", count.living)
        for count in await Inventory(database).counts()
    ]
    for waiting in await TargetQueue(database).waiting():
        age_seconds = (now - waiting.oldest).total_seconds()
        lines.append(
            Line(
                waiting.cloud,
                f"targets of {waiting.kind} waiting",
                f"{waiting.count}, the oldest for {age_seconds:.1f} s",
            )
        )
    for full_pass in await FullPasses(database).latest():
        if full_pass.state is PassState.ABSENT:
            continue
        found = full_pass.figures
        value = f"{full_pass.state}, {found.seen} seen"
        if full_pass.state is PassState.DONE:
            corrected = found.created + found.changed + found.vanished
            # What the very first pass finds is news, not drift.
            value += (
                ", the first"
                if full_pass.first
                else (f", drift {corrected}, asked by {full_pass.asked_by}")
            )
        if full_pass.error:
            value += f": {full_pass.error}"
        lines.append(Line(full_pass.cloud, f"full pass of {full_pass.kind}", value))
    return lines


async def _actions(database: Database, now: datetime) -> list[Line]:
    return [
        Line(
            "processor",
            f"actions waiting for {waiting.receiver}",
            f"{waiting.count}, {waiting.failing} of them failing,"
            f" the oldest for {(now - waiting.oldest).total_seconds():.1f} s",
        )
        for waiting in await Outbox(database).waiting()
    ]


async def _dead(database: Database) -> list[Line]:
    return [
        Line(count.cloud or "-", f"dead letters of {count.origin}", count.count)
        for count in await DeadLetters(database).counts()
    ]
