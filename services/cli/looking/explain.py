"""`osevents explain`: what osevents makes of notifications, without any cloud, bus or database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.recordings import read_recording
from services.cli.looking.catalogue import catalogue_files
from services.cli.output import WIDEST_WITHOUT_TERMINAL, cell, print_json
from services.processor.actions.kinds import known_kinds
from services.processor.rules.index import RuleSet
from services.processor.rules.load import load_rules, read_sources
from services.processor.rules.looking import Candidate, Guard, Role, look
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.load import load
from shared.catalogue.targets import deletions, targets
from shared.clock import SystemClock
from shared.codec import to_cloudevent
from shared.errors import UnreadableNotification
from shared.event import Event
from shared.resource import ResourceRef
from shared.target import BY_ID, BY_KIND, Target

FAILED = 1


@dataclass(frozen=True, slots=True)
class Explained:
    """An event and all that follows from it."""

    event: Event
    targets: tuple[Target, ...]
    deletions: tuple[ResourceRef, ...]
    rules: tuple[Candidate, ...] = ()
    """The rules that match; their counts, waits and limits are not known here."""

    def row(self) -> dict[str, Any]:
        """Return it as it is printed for programs."""
        return {
            "event": to_cloudevent(self.event),
            "category": self.event.category,
            "level": self.event.level,
            "targets": [_target_row(target, self.event) for target in self.targets],
            "writes": [
                {"kind": ref.kind, "id": ref.id, "what": "tombstone"} for ref in self.deletions
            ]
            or None,
            "rules": [{"rule": each.rule.name, "as": each.role} for each in self.rules],
            "dropped_by": None,
        }


def explained(
    recording: bytes, *, cloud: str, catalogue: Catalogue, rules: RuleSet, now: datetime
) -> Iterator[Explained | UnreadableNotification]:
    """Yield what becomes of each notification in `recording`, in order."""
    for read in read_recording(recording):
        if isinstance(read, UnreadableNotification):
            yield read
        else:
            event = normalise(read, cloud=cloud, received_at=now, catalogue=catalogue)
            matching = [said for said in look(rules, Guard(), event) if isinstance(said, Candidate)]
            yield Explained(
                event, targets(event, catalogue), deletions(event, catalogue), tuple(matching)
            )


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--cloud", default="cloud", show_default=True, help="The cloud they came from.")
@catalogue_files
@click.option(
    "--rules",
    "rule_sources",
    multiple=True,
    metavar="SOURCE",
    help="Also the rules that match: a directory, a file or builtin:NAME; may be repeated.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["card", "json"]),
    default="card",
    show_default=True,
    help="A card for people, or one JSON object a line.",
)
def explain(
    file: BinaryIO,
    cloud: str,
    catalogue_paths: Sequence[Path],
    rule_sources: Sequence[str],
    format_: str,
) -> int:
    """Show what becomes of the notifications in FILE (- is standard input).

    FILE holds JSON lines, one JSON value or a list: oslo.messaging envelopes, bare notifications,
    events of Panko, bodies of Ceilometer's publishers, or recorded messages with their exchange,
    routing_key, properties and body.

    Ends with 1 when something could not be read; the rest is explained all the same.
    """
    recording = file.read()
    if not recording.strip():
        click.echo("nothing", err=True)
    results = explained(
        recording,
        cloud=cloud,
        catalogue=load(catalogue_paths),
        rules=load_rules(read_sources(rule_sources), known_kinds()),
        now=SystemClock().now(),
    )
    return _print_rows(results) if format_ == "json" else _print_cards(results)


def _print_rows(results: Iterable[Explained | UnreadableNotification]) -> int:
    code = 0
    for result in results:
        if isinstance(result, Explained):
            print_json([result.row()])
        else:
            print_json([{"error": str(result)}])
            code = FAILED
    return code


def _print_cards(results: Iterable[Explained | UnreadableNotification]) -> int:
    code = 0
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDEST_WITHOUT_TERMINAL)
    for result in results:
        if isinstance(result, Explained):
            console.print(_card(result))
        else:
            console.print(
                f"[bold red]cannot be read[/]  {escape(cell(str(result)))}", highlight=False
            )
            code = FAILED
        console.print()
    return code


def _card(result: Explained) -> Table:
    event = result.event
    card = Table(box=None, show_header=False, pad_edge=False)
    card.add_column(style="dim", no_wrap=True)
    card.add_column(overflow="fold")
    for what, text in _lines(result):
        if text:
            card.add_row(what, escape(cell(text)))
    table = Table.grid()
    table.add_row(f"[bold]{escape(cell(event.type))}[/]  {event.level}  {escape(event.category)}")
    table.add_row(card)
    return table


def _lines(result: Explained) -> Iterator[tuple[str, str]]:
    event = result.event
    yield "service", f"{event.service}, {event.flavour} notification of {event.publisher or '?'}"
    if not event.known:
        yield "guessed", "no catalogue entry names this type; `osevents catalogue` shows them"
    if event.canonical != event.type:
        yield "also known as", event.canonical
    yield "time", cell(event.time)
    yield "id", event.id
    yield "tells", f"{event.action}, {event.phase}"
    yield "about", _joined(event.subjects)
    yield "name", event.name or ""
    yield "related", _joined(event.related)
    yield "state", " -> ".join(filter(None, (event.old_state, event.state)))
    for what in ("project", "user", "request_id", "host", "zone"):
        yield what.replace("_", " "), getattr(event, what) or ""
    yield "synthetic", "yes" if event.synthetic else ""
    for target in result.targets:
        yield "read again", f"{_what(target)}, {target.why}"
    for each in result.rules:
        yield "rule", each.rule.name + ("" if each.role is Role.TRIGGER else ", as the other event")
    yield "written", f"tombstone of {_joined(result.deletions)}" if result.deletions else ""


def _joined(refs: Iterable[ResourceRef]) -> str:
    return ", ".join(map(str, refs))


def _what(target: Target) -> str:
    if target.by == BY_KIND:
        return f"every {target.kind}"
    if target.by == BY_ID:
        return f"{target.kind}/{target.key}"
    return f"every {target.kind} whose {target.by} is {target.key}"


def _target_row(target: Target, event: Event) -> dict[str, Any]:
    return {
        "kind": target.kind,
        "id": target.key if target.by == BY_ID else None,
        "by": target.by,
        "key": target.key,
        "project": event.project,
        "why": target.why,
    }
