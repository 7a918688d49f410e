"""Writes the pages of lists, at the cost of what is new in them.

A page of a full pass is a thousand objects of which most are known already. A digest finds those in
one statement that writes their times and nothing else; new ones go in with one more; only what is
left is compared field by field, by the rule of `shared.store.observation`.
"""

from collections.abc import Sequence

from shared.links import links_of
from shared.snapshot import Cause, Snapshot
from shared.store.database import Database, columns
from shared.store.digest import as_json, digest_of
from shared.store.inventory import Inventory, WriteResult
from shared.store.links import add_links
from shared.store.owning import buried_owners, parted
from shared.store.statements import statements

_SQL = statements("listed")


class ListedPages:
    """Writes what lists show; the outcome is that of `Inventory.write`, snapshot by snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inventory = Inventory(database)

    async def write(self, snapshots: Sequence[Snapshot], cause: Cause) -> WriteResult:
        """Write one page: objects of one cloud and kind, observed at one moment.

        In up to three transactions, each of which may be repeated; raises StoreUnavailable, and
        Unstorable, with nothing new written, when a value cannot be held.
        """
        if not snapshots:
            return WriteResult()
        digests = {item.ref.id: _digest(item) for item in sorted(snapshots, key=_id)}
        same = await self._touch_same(snapshots[0], digests)
        rest = [item for item in snapshots if item.ref.id not in same]
        # An object that moved from page to page while they were read is listed twice.
        new = await self._add_new(list({item.ref.id: item for item in rest}.values()), cause)
        rest = [item for item in rest if item.ref.id not in new]
        written = await self._inventory.write(rest, cause)
        return WriteResult(
            created=len(new) + written.created,
            updated=written.updated,
            unchanged=len(same) + written.unchanged,
            stale=written.stale,
        )

    async def _touch_same(self, first: Snapshot, digests: dict[str, bytes]) -> set[str]:
        rows = await self._database.fetch(
            _SQL["touch_same"],
            first.ref.cloud,
            first.ref.kind,
            list(digests),
            list(digests.values()),
            first.observed_at,
        )
        return {row["id"] for row in rows}

    async def _add_new(self, snapshots: Sequence[Snapshot], cause: Cause) -> set[str]:
        if not snapshots:
            return set()
        first = snapshots[0]
        async with self._database.transaction() as connection:
            kept, _ = parted(snapshots, await buried_owners(connection, snapshots))
            rows = await connection.fetch(
                _SQL["add_new"],
                first.ref.cloud,
                first.ref.kind,
                first.observed_at,
                *columns([_row(item) for item in kept], 7),
                cause.kind,
                cause.id,
            )
            new = {row["resource_id"] for row in rows}
            told = {
                item.ref: links_of(item.ref.kind, item.object)
                for item in kept
                if item.ref.id in new
            }
            await add_links(connection, told)
        return new


def _id(item: Snapshot) -> str:
    return item.ref.id


def _digest(item: Snapshot) -> bytes:
    return digest_of(item.ref, item.name, item.project, item.status, item.object)


def _row(item: Snapshot) -> tuple[object, ...]:
    content = (item.name, item.project, item.status, as_json(item.ref, item.object))
    return (item.ref.id, *content, item.revision, _digest(item))
