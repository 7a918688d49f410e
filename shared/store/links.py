"""Keeps the links of objects in step with their rows, and finds what is around an object.

Which links an object tells is decided by `shared.links`, pure. They are written in the transaction
that writes the row, and only where they differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.links import Link, links_of
from shared.resource import ResourceRef
from shared.store.database import Connection, Database, columns
from shared.store.resource_row import ResourceRow
from shared.store.statements import statements

_SQL = statements("links")
_NONE: frozenset[Link] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """An object at the other end of a link."""

    name: str
    """What the one that is named is to the one that names it."""
    outward: bool
    """Whether the object asked about names this one; False: it is named by it."""
    kind: str
    id: str


class Links:
    """Reads links, both ways."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def around(self, ref: ResourceRef) -> list[Neighbour]:
        """Return what `ref` names and what names it, living or not."""
        rows = await self._database.fetch(_SQL["around"], ref.cloud, ref.kind, ref.id)
        return [Neighbour(**dict(row)) for row in rows]

    async def all(self, cloud: str) -> set[tuple[ResourceRef, Link]]:
        """Return every link of a cloud, with who tells it."""
        return {
            (
                ResourceRef(cloud, row["kind"], row["id"]),
                Link(row["name"], row["to_kind"], row["by"], row["to_key"]),
            )
            for row in await self._database.fetch(_SQL["all"], cloud)
        }


def told_by(row: ResourceRow) -> frozenset[Link]:
    """Return the links that a row stands for: a tombstone for none."""
    if row.deleted_at is not None or row.object is None:
        return _NONE
    return links_of(row.ref.kind, row.object)


async def add_links(connection: Connection, told: Mapping[ResourceRef, Iterable[Link]]) -> None:
    """Note the links of objects that are new."""
    rows = _rows(told)
    if rows:
        await connection.execute(_SQL["add"], *columns(rows, 7))


async def save_links(
    connection: Connection,
    before: Mapping[ResourceRef, ResourceRow],
    after: Mapping[ResourceRef, ResourceRow],
    unsure: frozenset[ResourceRef],
) -> None:
    """Bring the links of rows that were written in step; `unsure` may have any links by now."""
    old = {ref: _NONE if ref in unsure else told_by(before[ref]) for ref in after}
    new = {ref: told_by(row) for ref, row in after.items()}
    if unsure:
        keys = [(ref.cloud, ref.kind, ref.id) for ref in sorted(unsure)]
        await connection.execute(_SQL["remove_all"], *columns(keys, 3))
    gone = _rows({ref: old[ref] - new[ref] for ref in after})
    if gone:
        await connection.execute(_SQL["remove"], *columns(gone, 7))
    await add_links(connection, {ref: new[ref] - old[ref] for ref in after})


def _rows(told: Mapping[ResourceRef, Iterable[Link]]) -> Sequence[tuple[str, ...]]:
    return [
        (ref.cloud, ref.kind, ref.id, *link)
        for ref, links in sorted(told.items())
        for link in sorted(links)
    ]
