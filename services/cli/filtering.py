"""The options that choose events of the timeline, for every command that reads it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from services.cli.parameters import DurationType, MomentType, ObjectType
from shared.event import Level
from shared.store.database import Database
from shared.store.surroundings import find_surroundings
from shared.store.timeline_rows import TimelineFilter
from shared.store.timeline_words import words_of

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--cloud", help="Only this cloud."),
    click.option(
        "--since", type=MomentType(), help="Not before this time (UTC), or this long ago: 2h."
    ),
    click.option("--until", type=MomentType(), help="Before this time (UTC), or this long ago."),
    click.option(
        "--type",
        "types",
        metavar="PATTERN",
        multiple=True,
        help="Event type, as sent or canonical; * is anything. May be given several times.",
    ),
    click.option(
        "--category",
        "categories",
        multiple=True,
        help="Group on the timeline: power, network, storage, ... May be given several times.",
    ),
    click.option(
        "--level",
        "levels",
        multiple=True,
        type=click.Choice([level.value for level in Level]),
        help="May be given several times.",
    ),
    click.option("--kind", help="About an object of this kind: server, port, ..."),
    click.option(
        "--object", "object_", type=ObjectType(), metavar="KIND/ID", help="About it, or naming it."
    ),
    click.option(
        "--around",
        type=ObjectType(),
        metavar="KIND/ID",
        help="As --object, and what happened to its ports, volumes, network, ... about then.",
    ),
    click.option(
        "--within",
        type=DurationType(),
        show_default="10m",
        help="How long before and after the object's own events --around looks.",
    ),
    click.option("--project", help="Only this project (its id)."),
    click.option("--user", help="Only what this user did (the id)."),
    click.option("--request", "request_id", help="Only what this request id caused."),
    click.option("--host", help="Only on this host."),
    click.option("--service", help="Only of this service: compute, network, ..."),
    click.option("--state", help="The object's state as told: active, error, ..."),
    click.option(
        "--text",
        help="Words of the name or the failure told, the last perhaps begun; or parts of the type.",
    ),
    click.option(
        "--synthetic/--no-synthetic", default=None, help="Only what was made for tests, or none."
    ),
    click.option("--once", is_flag=True, help="Show once what Nova told in both its formats."),
)
AROUND = timedelta(minutes=10)
"""How long before and after an object's own events `--around` looks unless told otherwise."""
NAMES = (
    "cloud", "since", "until", "types", "categories", "levels", "kind", "project", "user",
    "request_id", "host", "service", "state", "text", "synthetic", "once",
)  # fmt: skip
"""The options that are fields of the filter as they stand."""


def filtered(function: _Function) -> _Function:
    """Add the options to a command; `filter_of` reads them out of its keyword arguments."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


async def filter_of(database: Database, asked: dict[str, Any]) -> TimelineFilter:
    """Return the filter that the options mean; what lies around an object is looked up."""
    object_, around = asked["object_"], asked["around"]
    given = {name: asked[name] for name in NAMES}
    if given["text"] is not None and not words_of(given["text"]):
        raise click.UsageError(f"--text {given['text']!r} holds no word to look for")
    check_span(given["since"], given["until"])
    if asked["within"] is not None and not around:
        raise click.UsageError("--within says how far --around looks; give --around, too")
    if object_ and around:
        raise click.UsageError("--around includes what --object shows; give one of them")
    if (object_ or around) and given["kind"]:
        raise click.UsageError("--kind is about all objects of a kind; leave it out with an object")
    if object_ or around:
        given["kind"], given["id"] = object_ or around
    which = TimelineFilter(**given)
    if not around:
        return which
    within = AROUND if asked["within"] is None else asked["within"]
    return await find_surroundings(database, which, within)


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Refuse a stretch of time that ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise click.UsageError(
            f"--since {since:%Y-%m-%d %H:%M:%S} is not before --until {until:%Y-%m-%d %H:%M:%S}"
        )
