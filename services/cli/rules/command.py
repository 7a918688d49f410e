"""`osevents rules`: check rule files, see those that osevents brings, try rules on history."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import click

from services.cli.output import Format, format_option, print_rows
from services.cli.parameters import MomentType
from services.cli.rules.trying import (
    FIRING_COLUMNS,
    RULE_COLUMNS,
    WHY_COLUMNS,
    firings,
    tested,
    why_rows,
)
from services.cli.stored import Place, time_of
from services.processor.actions.kinds import known_kinds
from services.processor.rules.index import RuleSet
from services.processor.rules.load import (
    BUILTIN,
    builtin_names,
    builtin_text,
    load_rules,
    read_sources,
)
from services.processor.rules.looking import Guard
from services.processor.rules.verdicts import Outcome
from shared.runtime.logs import configure_logs
from shared.runtime.settings import load_settings
from shared.store.database import Database
from shared.store.rule_history import Decided, RuleHistory

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The configuration file, whose `rules` are taken when no SOURCE is given.",
)
_data = click.option(
    "--data", type=click.Path(path_type=Path), help="The data directory of `osevents up`."
)
_format = format_option()
_sources = click.argument("sources", metavar="[SOURCE]...", nargs=-1)


@click.group()
def rules() -> None:
    """Check rules, and try them on what has happened, before they act.

    SOURCE is a directory of YAML files, a single file, or builtin:NAME.
    """


@rules.command()
@_sources
@_config
def check(sources: Sequence[str], config: Path | None) -> None:
    """Tell everything that is wrong with rules, each with file, line and column.

    Ends with 2 when something is.
    """
    found = loaded(sources, config)
    disabled = sum(not rule.enabled for rule in found.rules)
    click.echo(f"{len(found)} rules, nothing wrong" + (f", {disabled} disabled" * bool(disabled)))


@rules.command()
@click.argument("name", required=False)
def show(name: str | None) -> None:
    """Print the rule file NAME that comes with osevents, or which there are."""
    if name is None:
        for each in builtin_names():
            click.echo(f"{BUILTIN}{each}")
        return
    text = builtin_text(name.removeprefix(BUILTIN))
    if text is None:
        known = ", ".join(builtin_names())
        raise click.UsageError(f"no rule file {name!r} comes with osevents; there are {known}")
    click.echo(text, nl=False)


@rules.command("test")
@_sources
@_config
@_data
@_format
@click.option(
    "--since",
    type=MomentType(),
    default="24h",
    show_default=True,
    help="From when on: a time (UTC), or how long ago.",
)
@click.option("--firings", "each", is_flag=True, help="Each firing instead of a row for each rule.")
def test_(
    sources: Sequence[str],
    config: Path | None,
    data: Path | None,
    format_: Format,
    since: datetime,
    *,
    each: bool,
) -> None:
    """Say what rules would have fired on the stored timeline; run nothing.

    With limits and correlations, as if they had been in force: for the rules that are, it is what
    really fired.
    """
    found, guard = loaded(sources, config), _guard(config)

    async def work(database: Database) -> None:
        now = (await time_of(database)).now()
        question = firings if each else tested
        rows = await question(database, found, guard, since=since, now=now)
        print_rows(rows, FIRING_COLUMNS if each else RULE_COLUMNS, format_)

    _on_database(config, data, work)


@rules.command()
@click.argument("event_id")
@_sources
@_config
@_data
@_format
@click.option("--cloud", help="Of which cloud the event is, when two have one of that id.")
@click.option("--all", "everything", is_flag=True, help="Also the rules for other types of events.")
def why(
    event_id: str,
    sources: Sequence[str],
    config: Path | None,
    data: Path | None,
    format_: Format,
    cloud: str | None,
    *,
    everything: bool,
) -> None:
    """Say what each rule made of one event: it fired, or the first thing that did not hold."""
    found, guard = loaded(sources, config), _guard(config)

    async def work(database: Database) -> None:
        named = await RuleHistory(database).named(event_id)
        chosen = [each for each in named if cloud in (None, each.event.cloud)]
        if len(chosen) != 1:
            raise click.UsageError(_not_one(event_id, named))
        now = (await time_of(database)).now()
        rows = await why_rows(database, found, guard, chosen[0], now=now)
        shown = [row for row in rows if everything or row["outcome"] is not Outcome.TYPE]
        print_rows(shown, WHY_COLUMNS, format_)

    _on_database(config, data, work)


def loaded(sources: Sequence[str], config: Path | None) -> RuleSet:
    """Return the rules of `sources`, or of the configuration without them; raises Misconfigured."""
    chosen = tuple(sources) or load_settings(config, os.environ).rules
    if not chosen:
        raise click.UsageError(
            "there are no rules: name a directory, a file or builtin:NAME,"
            " or a --config FILE with `rules:`"
        )
    return load_rules(read_sources(chosen), known_kinds())


def _guard(config: Path | None) -> Guard:
    own = load_settings(config, os.environ).own
    return Guard.of(own.users, own.requests)


def _on_database(
    config: Path | None, data: Path | None, work: Callable[[Database], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with Place(config, data).database() as database:
            await work(database)

    configure_logs(level="warning", as_json=False, service="rules", instance=str(os.getpid()))
    asyncio.run(run())


def _not_one(event_id: str, named: Sequence[Decided]) -> str:
    if not named:
        way = "`osevents events --format json` shows ids"
        return f"no event {event_id!r} is on the timeline; {way}"
    clouds = ", ".join(each.event.cloud for each in named)
    return f"event {event_id!r} is one of {clouds}; say which with --cloud"
