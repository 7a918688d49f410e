"""`osevents refresh`: ask for a refresh, which the next free copy of the refresher makes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import click

from services.cli.mending.passing import wait_for
from services.cli.output import Format, print_rows
from services.cli.stored import looking, time_of
from services.refresher.resources import ALL
from shared.snapshot import Cause, CauseKind
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
@click.option("--no-wait", is_flag=True, help="Only ask for full passes; do not wait for them.")
async def refresh(
    database: Database,
    format_: Format,
    kind: str | None,
    id_: str | None,
    cloud: str | None,
    *,
    full: bool,
    no_wait: bool,
) -> None:
    """Ask for one object to be read again, or with --full for everything of a kind.

    With --full, waits until everything is listed, and says how far it is meanwhile.
    """
    if kind is not None and kind not in ALL:
        raise click.UsageError(f"kind {kind!r} cannot be refreshed; the kinds: {', '.join(ALL)}")
    if full == (id_ is not None):
        raise click.UsageError("give KIND and ID, or --full with or without KIND")
    clouds = await _clouds(database, cloud)
    clock = await time_of(database)
    now = clock.now()
    if id_ is not None:
        assert kind is not None, "the argument before it"
        cause = str(Cause(CauseKind.REQUEST, str(uuid4())))
        targets = [Target(name, kind, BY_ID, id_, cause, "asked for") for name in clouds]
        await TargetQueue(database).ask(targets, now=now, merge_window=NOW)
        asked = [(name, kind, id_) for name in clouds]
    else:
        kinds = [kind] if kind else list(ALL)
        ids = await ask_full_passes(database, clouds, kinds, by=CauseKind.REQUEST, now=now)
        if not no_wait:
            await wait_for(database, ids, format_, clock=clock)
            return
        asked = [(name, each, "full pass") for name in clouds for each in kinds]
    rows = [dict(zip(ASKED_COLUMNS, values, strict=True)) for values in asked]
    print_rows(rows, ASKED_COLUMNS, format_)


async def ask_full_passes(
    database: Database, clouds: Iterable[str], kinds: Iterable[str], *, by: str, now: datetime
) -> list[UUID]:
    """Ask for a full pass of each kind in each cloud; one that waits already is enough."""
    passes = FullPasses(database)
    return [
        await passes.ask(cloud, kind, pass_id=uuid4(), asked_by=by, now=now)
        for cloud, kind in product(clouds, kinds)
    ]


async def _clouds(database: Database, wanted: str | None) -> list[str]:
    known = sorted({count.cloud for count in await Inventory(database).counts()})
    if wanted is None:
        return known
    if wanted not in known:
        raise click.UsageError(
            f"cloud {wanted!r} has no inventory yet; those that have one: {', '.join(known)}"
        )
    return [wanted]
