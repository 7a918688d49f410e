"""`osevents refresh`: ask for a refresh, which the next free copy of the refresher makes."""

from datetime import timedelta
from uuid import uuid4

import click

from services.cli.output import Format, print_rows
from services.cli.stored import looking
from services.refresher.resources import ALL
from shared.clock import SystemClock
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.passes import FullPasses
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

NOW = timedelta()
ASKED_COLUMNS = ("cloud", "kind", "what")


@looking
@click.argument("kind", required=False)
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--cloud", help="Only this cloud.")
@click.option("--full", is_flag=True, help="A full pass of the kind, or of every kind.")
async def refresh(
    database: Database,
    format_: Format,
    kind: str | None,
    id_: str | None,
    cloud: str | None,
    *,
    full: bool,
) -> None:
    """Ask for one object to be read again, or with --full for everything of a kind."""
    if kind is not None and kind not in ALL:
        raise click.UsageError(f"kind {kind!r} cannot be refreshed; the kinds: {', '.join(ALL)}")
    if full == (id_ is not None):
        raise click.UsageError("give KIND and ID, or --full with or without KIND")
    clouds = await _clouds(database, cloud)
    now = SystemClock().now()
    if id_ is not None:
        assert kind is not None, "the argument before it"
        request = str(uuid4())
        targets = [Target(name, kind, BY_ID, id_, request, "asked for") for name in clouds]
        await TargetQueue(database).ask(targets, now=now, merge_window=NOW)
        asked = [{"cloud": name, "kind": kind, "what": id_} for name in clouds]
    else:
        asked = [
            {"cloud": name, "kind": each, "what": "full pass"}
            for name in clouds
            for each in ([kind] if kind else ALL)
        ]
        passes = FullPasses(database)
        for row in asked:
            await passes.ask(
                row["cloud"], row["kind"], pass_id=uuid4(), asked_by="request", now=now
            )
    print_rows(asked, ASKED_COLUMNS, format_)


async def _clouds(database: Database, wanted: str | None) -> list[str]:
    known = sorted({count.cloud for count in await Inventory(database).counts()})
    if wanted is None:
        return known
    if wanted not in known:
        raise click.UsageError(
            f"cloud {wanted!r} has no inventory yet; those that have one: {', '.join(known)}"
        )
    return [wanted]
