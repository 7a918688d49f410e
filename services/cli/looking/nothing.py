"""Why nothing was found, where a mistyped word is the likely reason."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

import click

from services.refresher.resources import ALL
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.timeline_rows import TimelineFilter


def tell_unmet(
    asked: Mapping[str, Sequence[str]], had: Mapping[str, Collection[str]], *, what: str
) -> None:
    """Say on standard error which of the `asked` values nothing ever had.

    Both are by field; `what` are those that could have had them, such as events.
    """
    for line in _unmet(asked, had, what):
        click.echo(f"osevents: {line}", err=True)


def asked_values(which: TimelineFilter) -> dict[str, list[str]]:
    """Return what a filter asks for of the fields that a word is easily mistyped in."""
    return {
        "cloud": [which.cloud] if which.cloud else [],
        "service": [which.service] if which.service else [],
        "category": list(which.categories),
        # The object may only be named by events that are about something else.
        "kind": [which.kind] if which.kind and which.id is None else [],
    }


async def check_kind(database: Database, kind: str) -> None:
    """Refuse a kind that no cloud can have."""
    known = sorted({*ALL, *(count.kind for count in await Inventory(database).counts())})
    if kind not in known:
        raise click.UsageError(f"there is no kind {kind!r}; {_hint(kind, known, 'the kinds:')}")


async def tell_cloud(database: Database, cloud: str | None) -> None:
    """Say which clouds there are, where one was asked for that has nothing at all."""
    clouds = {count.cloud for count in await Inventory(database).counts()}
    tell_unmet({"cloud": [cloud] if cloud else []}, {"cloud": clouds}, what="objects")


def _unmet(
    asked: Mapping[str, Sequence[str]], had: Mapping[str, Collection[str]], what: str
) -> Iterator[str]:
    for field, values in asked.items():
        known = sorted(had[field])
        for value in values:
            if value not in known:
                yield f"no {what} have {field} {value!r}; {_hint(value, known, 'there are')}"


def _hint(value: str, known: Sequence[str], all_: str) -> str:
    near = difflib.get_close_matches(value, known, n=1)
    return f"did you mean {near[0]}?" if near else f"{all_} {', '.join(known) or 'none'}"
