"""Keeps what goes with its owner from outliving it, whoever writes it meanwhile.

Whoever writes a child looks for the tombstones of its owners; whoever buries an owner looks for its
children. Neither sees what the other has not committed, so the one shares a lock for the kind of
the children that the other holds alone: one of the two comes second, and sees the first one's word.
The locks are taken before any row's, and end with the transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from shared.owners import is_owned, kinds_below, owners_of, ownerships
from shared.resource import ResourceRef
from shared.snapshot import Snapshot
from shared.store.database import Connection, columns
from shared.store.locks import lock_key
from shared.store.statements import statements

_SQL = statements("owning")
_OWNERSHIPS = list(ownerships())


async def buried_owners(
    connection: Connection, snapshots: Sequence[Snapshot]
) -> dict[ResourceRef, datetime]:
    """Return which owners of some objects are gone, and since when; none is buried from now on."""
    owned = {(item.ref.cloud, item.ref.kind) for item in snapshots if is_owned(item.ref.kind)}
    if not owned:
        return {}
    owners = {owner for item in snapshots for owner in owners_of(item.ref, item.object)}
    if not owners:
        return {}
    await connection.execute(_SQL["share"], _keys(owned))
    found = await connection.fetch(_SQL["dead"], *columns(sorted(owners), 3))
    return {ResourceRef(row["cloud"], row["kind"], row["id"]): row["deleted_at"] for row in found}


def parted(
    snapshots: Sequence[Snapshot], buried: Mapping[ResourceRef, datetime]
) -> tuple[Sequence[Snapshot], dict[ResourceRef, datetime]]:
    """Return what may live, and what went with one of its `buried` owners, with when it did."""
    if not buried:
        return snapshots, {}
    kept: list[Snapshot] = []
    orphans: dict[ResourceRef, datetime] = {}
    for item in snapshots:
        end = _end(item, buried)
        if end is None:
            kept.append(item)
        else:
            orphans[item.ref] = max(end, orphans.get(item.ref, end))
    return kept, orphans


def _end(snapshot: Snapshot, buried: Mapping[ResourceRef, datetime]) -> datetime | None:
    """Return when an object went along; None where a read that began later found it all the same.

    When a notification was sent tells another clock, and says nothing here.
    """
    owners = owners_of(snapshot.ref, snapshot.object)
    end = max((buried[owner] for owner in owners if owner in buried), default=None)
    if end is None or (not snapshot.partial and snapshot.observed_at > end):
        return None
    return end


async def hold_below(connection: Connection, refs: Iterable[ResourceRef]) -> None:
    """Let nothing that some objects may own be written until the transaction ends."""
    kinds = {(ref.cloud, kind) for ref in refs for kind in kinds_below(ref.kind)}
    if kinds:
        await connection.execute(_SQL["hold"], _keys(kinds))


async def owned_by(
    connection: Connection, owners: Collection[ResourceRef]
) -> list[tuple[ResourceRef, ResourceRef]]:
    """Return the living objects that some own themselves, each with its owner."""
    rows = sorted(owner for owner in owners if kinds_below(owner.kind))
    if not rows:
        return []
    found = await connection.fetch(_SQL["below"], *columns(rows, 3), *columns(_OWNERSHIPS, 3))
    return [
        (
            ResourceRef(row["cloud"], row["kind"], row["id"]),
            ResourceRef(row["cloud"], row["to_kind"], row["to_key"]),
        )
        for row in found
    ]


def _keys(kinds: Iterable[tuple[str, str]]) -> list[int]:
    return sorted(lock_key(f"{kind} with their owners in {cloud}") for cloud, kind in kinds)
