"""`osevents events`: look at the timeline, page by page, counted, exported, or live."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import click

from services.cli.filtering import filter_of, filtered
from services.cli.interrupts import stopped_by_signals
from services.cli.looking.nothing import asked_values, tell_unmet
from services.cli.output import Format, print_more, print_rows
from services.cli.parameters import DurationType, PositionType, cursor_of
from services.cli.stored import looking
from shared.errors import Transient
from shared.store.database import Database
from shared.store.timeline import Timeline
from shared.store.timeline_classes import class_values
from shared.store.timeline_reading import Reader
from shared.store.timeline_rows import Order, Position, TimelineFilter, TimelineRow
from shared.waiting import pause

EVENT_COLUMNS = ("time", "cloud", "level", "category", "type", "subject", "name", "state")
PARTS = ("category", "level", "type", "service", "cloud")
AT_ONCE = 1000
"""Rows read at once, and held, however many are wanted."""
LOOK_AGAIN = timedelta(milliseconds=500)
AWAY = timedelta(seconds=3)
FEW = 10
"""Rows that --follow begins with."""

_FIELDS = tuple(field.name for field in fields(TimelineRow))


@looking
@filtered
@click.option("--most", type=click.IntRange(min=1), help="Rows at most; 50, with --follow 10.")
@click.option("--all", "everything", is_flag=True, help="Without a limit, for an export.")
@click.option(
    "--after", type=PositionType(), metavar="CURSOR", help="Go on where an earlier page ended."
)
@click.option("--oldest", is_flag=True, help="The oldest first.")
@click.option(
    "--buckets", type=DurationType(), metavar="DURATION", help="Count: so many every 10m, 1h, 1d."
)
@click.option("--by", type=click.Choice(PARTS), show_default="category", help="With --buckets.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
async def events(database: Database, format_: Format, **asked: Any) -> None:
    """Show the timeline, newest first."""
    _check(asked)
    which = await filter_of(database, asked)
    if asked["buckets"]:
        await _count(database, which, asked["buckets"], asked["by"] or "category", format_)
    elif asked["follow"]:
        await _follow(database, which, asked["most"] or FEW, format_)
    else:
        most = None if asked["everything"] else asked["most"] or 50
        order: Order = "oldest" if asked["oldest"] else "newest"
        if not await _show(pages(database, which, order, asked["after"], most), most, format_):
            tell_unmet(asked_values(which), await class_values(database), what="events")


async def pages(
    database: Database,
    which: TimelineFilter,
    order: Order,
    after: Position | None,
    most: int | None,
) -> AsyncIterator[list[TimelineRow]]:
    """Yield the timeline in pages, the last one not full; up to `most` rows, None: all."""
    timeline = Timeline(database)
    left = most
    while left is None or left > 0:
        size = AT_ONCE if left is None else min(left, AT_ONCE)
        page = await timeline.find(which, most=size, before=after, order=order)
        if page:
            yield page
            after = page[-1].position
        if len(page) < size:
            return
        left = None if left is None else left - len(page)


def event_row(row: TimelineRow) -> dict[str, Any]:
    """Return a timeline row as it is printed."""
    subject = f"{row.subject_kind}/{row.subject_id}" if row.subject_kind else None
    return {**{name: getattr(row, name) for name in _FIELDS}, "subject": subject}


def _check(asked: dict[str, Any]) -> None:
    """Refuse options that cannot go together."""
    if asked["everything"] and asked["most"]:
        raise click.UsageError("--all and --most say different things; give one of them")
    for name in ("buckets", "follow"):
        if asked[name] and (asked["everything"] or asked["after"] or asked["oldest"]):
            raise click.UsageError(f"--{name} goes with none of --all, --after and --oldest")
    if asked["around"] and asked["follow"]:
        raise click.UsageError("--around looks at what has happened; follow with --object")
    if asked["buckets"] is not None and (asked["follow"] or asked["most"]):
        raise click.UsageError("--buckets goes with neither --follow nor --most")
    if asked["by"] is not None and asked["buckets"] is None:
        raise click.UsageError("--by divides what --buckets counts; give --buckets, too")
    if asked["buckets"] == timedelta():
        raise click.UsageError("--buckets 0 has no length; write for example 1h")


async def _count(
    database: Database, which: TimelineFilter, length: timedelta, by: Any, format_: Format
) -> None:
    buckets = await Reader(database).buckets(which, length=length, by=by)
    if not buckets:
        tell_unmet(asked_values(which), await class_values(database), what="events")
    rows = [{"begins": one.begins, by: one.label, "count": one.count} for one in buckets]
    print_rows(rows, ("begins", by, "count"), format_)


async def _show(found: AsyncIterator[list[TimelineRow]], most: int | None, format_: Format) -> int:
    """Print the pages; return how many rows these were."""
    printer, shown, last = _Printer(format_), 0, None
    async for page in found:
        printer.show(page)
        shown += len(page)
        last = page[-1].position
    if last is None:
        print_rows([], EVENT_COLUMNS, format_)
    elif shown == most:
        click.echo(f"there may be more: --after {cursor_of(last)}", err=True)
    return shown


async def _follow(database: Database, which: TimelineFilter, most: int, format_: Format) -> None:
    """Print the newest rows and then every one that is committed, until interrupted."""
    reader, printer, stop = Reader(database), _Printer(format_), asyncio.Event()
    with stopped_by_signals(stop):
        mark = await reader.here()
        begin = await Timeline(database).find(which, most=most)
        printer.show(begin[::-1])
        shown = {row.position for row in begin}  # some may have been written since the mark
        while not stop.is_set():
            try:
                here = await reader.here()
                async for rows in reader.news(which, mark, here):
                    printer.show([row for row in rows if row.position not in shown])
                mark, shown = here, set()
            except Transient as error:
                click.echo(f"osevents: {error}; trying again", err=True)
                await pause(AWAY, stop)
            await pause(LOOK_AGAIN, stop)


@dataclass(slots=True)
class _Printer:
    """Prints rows as they come, with the heads above the first."""

    format_: Format
    begun: bool = False

    def show(self, rows: Sequence[TimelineRow]) -> None:
        """Print rows below those that are there."""
        if rows:
            printed = [event_row(row) for row in rows]
            (print_more if self.begun else print_rows)(printed, EVENT_COLUMNS, self.format_)
            self.begun = True
