"""`osevents rules`: check rule files, see those that osevents brings, try rules on history."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from services.processor.actions.kinds import known_kinds
from services.processor.rules.index import RuleSet
from services.processor.rules.load import (
    BUILTIN,
    builtin_names,
    builtin_text,
    load_rules,
    read_sources,
)
from shared.runtime.settings import load_settings

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The configuration file, whose `rules` are taken when no SOURCE is given.",
)
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


def loaded(sources: Sequence[str], config: Path | None) -> RuleSet:
    """Return the rules of `sources`, or of the configuration without them; raises Misconfigured."""
    chosen = tuple(sources) or load_settings(config, os.environ).rules
    if not chosen:
        raise click.UsageError(
            "there are no rules: name a directory, a file or builtin:NAME,"
            " or a --config FILE with `rules:`"
        )
    return load_rules(read_sources(chosen), known_kinds())
