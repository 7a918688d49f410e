"""`osevents inventory`, `changes`: look at what is, and at what became of it."""

from dataclasses import asdict
from typing import Any

import click

from services.cli.output import Format, print_rows
from services.cli.stored import looking
from services.refresher.resources import ALL
from shared.resource import ResourceRef
from shared.snapshot import Change
from shared.store.database import Database
from shared.store.inventory import Inventory, ResourceRow

RESOURCE_COLUMNS = ("id", "name", "status", "project", "cloud", "seen_at", "deleted_at")
CHANGE_COLUMNS = ("at", "change", "field", "old", "new", "cause")

_most = click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Rows at most."
)
_cloud = click.option("--cloud", help="Only this cloud.")


@looking
@click.argument("kind")
@_cloud
@click.option("--deleted", is_flag=True, help="Also what is gone.")
@_most
async def inventory(
    database: Database, format_: Format, kind: str, cloud: str | None, *, deleted: bool, most: int
) -> None:
    """Show what exists now: server, port, network, subnet, router, floating_ip, ..."""
    store = Inventory(database)
    rows = await store.find(kind, cloud=cloud, deleted=deleted, most=most)
    if not rows:
        kinds = sorted({count.kind for count in await store.counts()})
        if kind not in {*ALL, *kinds}:
            known = ", ".join(sorted({*ALL, *kinds}))
            raise click.UsageError(f"there is no kind {kind!r}; the kinds: {known}")
    print_rows([resource_row(row) for row in rows], RESOURCE_COLUMNS, format_)


@looking
@click.argument("kind")
@click.argument("id_", metavar="ID")
@_cloud
@_most
async def changes(
    database: Database, format_: Format, kind: str, id_: str, cloud: str | None, most: int
) -> None:
    """Show what changed on one object, and which event or full pass was the cause."""
    store = Inventory(database)
    clouds = {cloud} if cloud else {count.cloud for count in await store.counts()}
    found: list[Change] = []
    for name in sorted(clouds):
        found += await store.changes(ResourceRef(name, kind, id_), most=most)
    if not found:
        raise click.UsageError(f"no {kind} with id {id_!r} was ever seen")
    print_rows([change_row(change) for change in found], CHANGE_COLUMNS, format_)


def resource_row(row: ResourceRow) -> dict[str, Any]:
    """Return a resource as it is printed."""
    fields = asdict(row)
    del fields["ref"]
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
