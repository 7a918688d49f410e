"""`osevents catalogue`: which event types are known, and what osevents makes of each."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from services.cli.output import Format, print_json, print_table
from shared.catalogue.catalogue import Catalogue, type_pattern
from shared.catalogue.load import load
from shared.catalogue.model import SUBJECT, Entry, Refresh
from shared.event import Action, Flavour, Phase
from shared.target import BY_ID, BY_KIND

COLUMNS = ("type", "service", "kind", "action", "phase", "category", "level", "refresh")
MARKDOWN = "markdown"
HEAD = """\
# The catalogue of event types

Written by `osevents catalogue --format markdown`, which a test compares with this page.
A `*` in a type stands for any text. *Refresh* names what is read again: `subject` is the object the
event is about, and when it *is gone*, that is written without asking; a type without any changes
nothing, or only tells that something begins.

[How to add types](../how-to/extend-the-catalogue.md) says how to teach osevents more."""

catalogue_files: Callable[..., Any] = click.option(
    "--catalogue",
    "catalogue_paths",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file with more event types, on top of the built-in ones; may be repeated.",
)


@click.command()
@click.argument("pattern", required=False)
@click.option("--service", help="Only this service: compute, network, ...")
@click.option("--kind", help="Only types about this kind: server, port, ...")
@catalogue_files
@click.option(
    "--format",
    "format_",
    type=click.Choice([*(each.value for each in Format), MARKDOWN]),
    default=Format.TABLE.value,
    show_default=True,
    help="A table for people, one JSON object a line, or the page of the documentation.",
)
def catalogue(
    pattern: str | None,
    service: str | None,
    kind: str | None,
    catalogue_paths: Sequence[Path],
    format_: str,
) -> None:
    """Show the event types that are known, all or those that match PATTERN (* is anything)."""
    known = load(catalogue_paths)
    rows = [
        row
        for row in catalogue_rows(known, pattern)
        if service in (None, row["service"]) and kind in (None, row["kind"])
    ]
    if format_ == MARKDOWN:
        click.echo(page(rows), nl=False)
    elif format_ == Format.JSON:
        print_json(rows)
    else:
        print_table([{**row, "refresh": ", ".join(row["refresh"])} for row in rows], COLUMNS)


def catalogue_rows(known: Catalogue, pattern: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each known type of each service, by service and type."""
    entries = known.entries()
    if pattern is not None:
        wanted = type_pattern(pattern)
        # A type of which only the pattern is catalogued is shown by its own name.
        entries = [entry for entry in entries if wanted.fullmatch(entry.type)] or [
            entry for entry in [known.lookup(pattern)] if entry.known
        ]
    return [_row(entry) for entry in sorted(entries, key=lambda entry: (entry.service, entry.type))]


def page(rows: Iterable[dict[str, Any]]) -> str:
    """Return the page of the documentation: a table for each service."""
    lines = [HEAD]
    service = None
    for row in rows:
        if row["service"] != service:
            service = row["service"]
            lines += [f"\n## {service}\n", "| type | kind | tells | timeline | refresh |"]
            lines += ["|---|---|---|---|---|"]
        also = f"<br>canonical: `{row['canonical']}`" if row["canonical"] != row["type"] else ""
        lines.append(
            f"| `{row['type']}`{also} | {row['kind']} | {row['action']}, {row['phase']}"
            f" | {row['category']}, {row['level']} | {', '.join(row['refresh'])} |"
        )
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> dict[str, Any]:
    starting = entry.phase in (Phase.START, Phase.PROGRESS) and not entry.refresh_at_start
    gone = entry.action is Action.DELETE and entry.phase is Phase.END
    return {
        "type": entry.type,
        "canonical": entry.canonical,
        "service": entry.service,
        "kind": entry.kind,
        "action": entry.action,
        "phase": entry.phase,
        "category": entry.category,
        "level": entry.level,
        "named_in": [flavour for flavour in Flavour if entry.readings.name_the_subject(flavour)],
        "complete": bool(entry.complete),
        "refresh": []
        if starting
        else [_refreshed(refresh, gone=gone) for refresh in entry.refresh],
    }


def _refreshed(refresh: Refresh, *, gone: bool) -> str:
    kind = refresh.kind or SUBJECT
    if gone and (kind, refresh.by) == (SUBJECT, BY_ID):
        return "subject is gone"
    if refresh.by == BY_KIND:
        return f"every {kind}"
    if refresh.by == BY_ID:
        return kind
    return f"{kind} by {refresh.by}"
