"""`osevents inventory`, `changes`: look at what is, what was, and what became of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import click

from services.cli.looking.nothing import check_kind, tell_cloud
from services.cli.output import Format, print_json, print_rows, print_table
from services.cli.parameters import DurationType, MomentType
from services.cli.stored import looking, time_of
from services.refresher.resources import ALL
from shared.resource import ResourceRef
from shared.snapshot import Change
from shared.store.database import Database
from shared.store.history import ChangeNearby, History
from shared.store.inventory import Inventory
from shared.store.links import Links
from shared.store.resource_filter import ResourceFilter
from shared.store.resource_row import ResourceRow

RESOURCE_COLUMNS = ("id", "name", "status", "project", "cloud", "seen_at", "deleted_at")
CHANGE_COLUMNS = ("at", "change", "field", "old", "new", "cause")
NEARBY_COLUMNS = ("at", "kind", "id", "name", "related", "change", "field", "old", "new", "cause")
FIELD_COLUMNS = ("field", "value")
_AT_ONCE = 1000
_HUB = 50
"""What has more links than this is no reason to call its ends related."""
_BINDING = frozenset(
    {"server", "port", "volume", "floating_ip", "router", "stack", "load_balancer"}
)
"""Through these, two objects have to do with each other; not through an image that both use."""

_most = click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1), help="Rows at most."
)
_cloud = click.option("--cloud", help="Only this cloud.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What `osevents inventory` was asked for."""

    kind: str
    cloud: str | None
    which: ResourceFilter
    deleted: bool
    at: datetime | None


@looking
@click.argument("kind")
@_cloud
@click.option("--project", help="Only of the project with this id.")
@click.option("--status", help="Only in this status, as in ACTIVE.")
@click.option("--name", metavar="PATTERN", help="Only of this name; * is anything.")
@click.option("--deleted", is_flag=True, help="Also what is gone.")
@click.option("--at", type=MomentType(), help="As it was at this time (UTC), or so long ago (2h).")
@_most
@click.option("--all", "everything", is_flag=True, help="All rows, however many.")
async def inventory(database: Database, format_: Format, most: int, **asked: Any) -> None:
    """Show what exists now, or did: server, port, network, subnet, router, floating_ip, ..."""
    wanted = _Wanted(
        kind=asked["kind"],
        cloud=asked["cloud"],
        which=ResourceFilter(asked["project"], asked["status"], asked["name"]),
        deleted=asked["deleted"],
        at=asked["at"],
    )
    if wanted.at is not None:
        if wanted.deleted:
            raise click.UsageError("--deleted is about now; with --at only what lived then is told")
        await _check_reach(database, wanted.cloud, wanted.at)
    left = None if asked["everything"] else most
    nothing = True
    async for page in _pages(database, wanted):
        rows = [resource_row(row) for row in page[:left]]
        left = None if left is None else left - len(rows)
        if rows:
            nothing = False
            # Page by page, so that the largest cloud needs no room here.
            print_rows(rows, RESOURCE_COLUMNS, format_)
        if left == 0:
            return
    if nothing:
        await check_kind(database, wanted.kind)
        await tell_cloud(database, wanted.cloud)
        print_rows([], RESOURCE_COLUMNS, format_)


@looking
@click.argument("kind")
@click.argument("id_", metavar="ID")
@_cloud
@click.option("--at", type=MomentType(), help="The object as it was then (UTC), or so long ago.")
@click.option(
    "--around",
    type=DurationType(),
    help="What else changed so shortly before or after: around --at, or its latest change.",
)
@_most
async def changes(
    database: Database,
    format_: Format,
    kind: str,
    id_: str,
    cloud: str | None,
    *,
    at: datetime | None,
    around: timedelta | None,
    most: int,
) -> None:
    """Show what changed on one object, and which event or full pass was the cause."""
    ref, found = await _changes(database, kind, id_, cloud, most)
    if around is not None:
        nearby = await _around(database, ref, at or found[-1].at, around, most)
        print_rows([nearby_row(one) for one in nearby], NEARBY_COLUMNS, format_)
    elif at is not None:
        await _print_as_of(database, ref, at, format_)
    else:
        print_rows([change_row(change) for change in found], CHANGE_COLUMNS, format_)


def resource_row(row: ResourceRow) -> dict[str, Any]:
    """Return a resource as it is printed."""
    fields = asdict(row)
    del fields["ref"], fields["told"]
    return {"id": row.ref.id, "kind": row.ref.kind, "cloud": row.ref.cloud, **fields}


def change_row(change: Change) -> dict[str, Any]:
    """Return a change as it is printed."""
    return {
        "cloud": change.ref.cloud,
        "kind": change.ref.kind,
        "id": change.ref.id,
        "at": change.at,
        "change": change.kind,
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "cause": f"{change.cause.kind} {change.cause.id}",
    }


def nearby_row(one: ChangeNearby) -> dict[str, Any]:
    """Return a change around another as it is printed."""
    related = "link" if one.linked else "project"
    return {**change_row(one.change), "name": one.name, "related": related}


def as_shown(row: ResourceRow) -> ResourceRow:
    """Return a row of the past with the columns that its object tells."""
    resource = ALL.get(row.ref.kind)
    if resource is None or not row.object or row.observed_at is None:
        return row
    try:
        told = resource.snapshot(row.ref.cloud, row.object, observed_at=row.observed_at)
    except KeyError:
        return row
    return replace(row, name=told.name, project=told.project, status=told.status)


async def _pages(database: Database, wanted: _Wanted) -> AsyncIterator[list[ResourceRow]]:
    """Yield what is wanted, so much at once that neither calls nor room matter."""
    store, after = Inventory(database), None
    past = wanted.at is not None
    # What it is now says nothing of what it was then, which is only known afterwards.
    which = ResourceFilter() if past else wanted.which
    while page := await store.find(
        wanted.kind,
        cloud=wanted.cloud,
        deleted=wanted.deleted or past,
        most=_AT_ONCE,
        after=after,
        which=which,
    ):
        after = page[-1].ref
        if wanted.at is not None:
            then = map(as_shown, await History(database).as_of(page, wanted.at))
            page = [row for row in then if wanted.which.wants(row)]
        yield page
        if len(page) < _AT_ONCE and not past:
            return


async def _changes(
    database: Database, kind: str, id_: str, cloud: str | None, most: int
) -> tuple[ResourceRef, list[Change]]:
    """Return the latest changes of one object, and its full name."""
    store = Inventory(database)
    clouds = {cloud} if cloud else {count.cloud for count in await store.counts()}
    found: list[Change] = []
    for name in sorted(clouds):
        found += await store.changes(ResourceRef(name, kind, id_), most=most)
    if not found:
        await check_kind(database, kind)
        await tell_cloud(database, cloud)
        raise click.UsageError(f"no {kind} with id {id_!r} was ever seen")
    return found[-1].ref, found


async def _print_as_of(database: Database, ref: ResourceRef, at: datetime, format_: Format) -> None:
    await _check_reach(database, ref.cloud, at)
    now = await Inventory(database).get(ref)
    then = await History(database).as_of([now] if now else [], at)
    if not then:
        raise click.UsageError(f"nothing is known of {ref} living at {at:%Y-%m-%d %H:%M:%S} UTC")
    row = resource_row(as_shown(then[0]))
    if format_ is Format.JSON:
        print_json([row])
    else:
        shown = {"name": row["name"], "project": row["project"], **(row["object"] or {})}
        print_table([{"field": key, "value": value} for key, value in shown.items()], FIELD_COLUMNS)


async def _around(
    database: Database, ref: ResourceRef, moment: datetime, around: timedelta, most: int
) -> Sequence[ChangeNearby]:
    """Return what changed around `moment` on what has to do with an object.

    That is what links say, and the whole project only for what is linked with nothing.
    """
    family = await _family(database, ref)
    row = await Inventory(database).get(ref)
    project = row.project if row and len(family) == 1 else None
    span = (moment - around, moment + around)
    return await History(database).around(ref.cloud, *span, family, project=project, most=most)


async def _family(database: Database, ref: ResourceRef) -> list[ResourceRef]:
    """Return an object, what it is linked with, and what that is linked with."""
    links = Links(database)
    family = {ref}
    near = [ResourceRef(ref.cloud, one.kind, one.id) for one in await links.around(ref)]
    family.update(near)
    for neighbour in [one for one in near if one.kind in _BINDING][:_HUB]:
        further = await links.around(neighbour)
        if len(further) <= _HUB:
            family.update(ResourceRef(ref.cloud, one.kind, one.id) for one in further)
    return sorted(family)


async def _check_reach(database: Database, cloud: str | None, at: datetime) -> None:
    """Refuse what the history cannot know, instead of telling half of it."""
    if at > (await time_of(database)).now():
        raise click.UsageError(f"{at:%Y-%m-%d %H:%M:%S} UTC is yet to come")
    counts = await Inventory(database).counts()
    for name in sorted({cloud} if cloud else {count.cloud for count in counts}):
        begins = await History(database).begins(name)
        if begins is not None and at < begins:
            raise click.UsageError(
                f"the history of {name} begins at {begins:%Y-%m-%d %H:%M:%S} UTC"
                " (retention.changes says how long it is kept)"
            )
