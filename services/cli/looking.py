"""`osevents events`: look at the timeline."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from services.cli.output import Format, print_rows
from services.cli.stored import looking
from shared.store.database import Database
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow

EVENT_COLUMNS = ("time", "cloud", "level", "category", "type", "subject", "name", "state")

_most = click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Rows at most."
)
_cloud = click.option("--cloud", help="Only this cloud.")


@looking
@_cloud
@click.option(
    "--type", "type_", metavar="PATTERN", help="Event type, as sent or canonical; * is anything."
)
@click.option("--category", help="Group on the timeline: power, network, storage, ...")
@click.option(
    "--level", type=click.Choice(["critical", "warning", "detail"]), help="Only this level."
)
@click.option("--object", "object_", metavar="KIND/ID", help="About one object, or naming it.")
@click.option("--request", help="Only what this request id caused.")
@click.option("--since", type=click.DateTime(), help="Not before this time (UTC).")
@click.option("--until", type=click.DateTime(), help="Before this time (UTC).")
@click.option("--once", is_flag=True, help="Show once what Nova told in both its formats.")
@_most
async def events(database: Database, format_: Format, most: int, **asked: Any) -> None:
    """Show the timeline, newest first."""
    kind, id_ = _object(asked["object_"])
    which = TimelineFilter(
        cloud=asked["cloud"],
        type=asked["type_"],
        category=asked["category"],
        level=asked["level"],
        kind=kind,
        id=id_,
        request_id=asked["request"],
        since=_utc(asked["since"]),
        until=_utc(asked["until"]),
        once=asked["once"],
    )
    rows = await Timeline(database).find(which, most=most)
    print_rows([event_row(row) for row in rows], EVENT_COLUMNS, format_)


def event_row(row: TimelineRow) -> dict[str, Any]:
    """Return a timeline row as it is printed."""
    subject = f"{row.subject_kind}/{row.subject_id}" if row.subject_kind else None
    return {**asdict(row), "subject": subject}


def _object(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    kind, slash, id_ = text.partition("/")
    if not (kind and slash and id_):
        raise click.UsageError(f"--object takes KIND/ID, as in server/5f3c..., not {text!r}")
    return kind, id_


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
