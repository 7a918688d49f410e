"""The inventory: one row per object, its history, and the rule that an older write never wins.

The rule itself is pure and stands in `shared.store.observation`, how decisions are written in
`shared.store.applying`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.resource import ResourceRef
from shared.snapshot import Cause, Change, Snapshot
from shared.store.applying import apply_decisions
from shared.store.database import Connection, Database, columns
from shared.store.observation import Decision, Outcome, bury, observe, shows_gone
from shared.store.owning import buried_owners, hold_below, owned_by, parted
from shared.store.resource_columns import change_of, resource_of
from shared.store.resource_filter import ResourceFilter
from shared.store.resource_row import ResourceRow
from shared.store.statements import statements

_SQL = statements("inventory")
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a batch of snapshots was to the inventory."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    """Refused, because something newer is known."""
    incomplete: frozenset[ResourceRef] = frozenset()
    """Living objects that a read has to complete: known from notifications alone, or showing what a
    notification told gone."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many objects of a kind a cloud has."""

    cloud: str
    kind: str
    living: int
    deleted: int
    """Tombstones still remembered."""


class Brief(NamedTuple):
    """What is known of an object in a few words."""

    project: str | None
    status: str | None


class Inventory:
    """Writes and reads resources and their changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self, snapshots: Sequence[Snapshot], causes: Mapping[ResourceRef, Cause] | Cause
    ) -> WriteResult:
        """Write what was observed, all or none, with a change for each field that differs.

        `causes` says why, for all or for each. Order and repeats do not matter to the outcome, also
        between concurrent calls. What its owner took along since it was observed is buried.
        """
        async with self._database.transaction() as connection:
            kept, orphans = parted(snapshots, await buried_owners(connection, snapshots))

            def decide(rows: dict[ResourceRef, ResourceRow]) -> Iterable[Decision]:
                for item in kept:
                    yield observe(rows[item.ref], item, _cause(causes, item.ref))

            decisions = await apply_decisions(connection, (item.ref for item in kept), decide)
        # In a transaction of its own: what they own in turn is locked before any row.
        await self.delete(orphans, causes)
        return _result(kept, decisions, refused=len(snapshots) - len(kept))

    async def delete(
        self, gone: Mapping[ResourceRef, datetime], causes: Mapping[ResourceRef, Cause] | Cause
    ) -> dict[ResourceRef, Cause]:
        """Bury objects, each gone at its moment, with what they own.

        Return those that lived until now, each with why it went.

        A tombstone also keeps out late news of an object that was never seen, and of what it owns.
        What a read that began after that moment has found lives on.
        """
        if not gone:
            return {}
        ended: dict[ResourceRef, Cause] = {}
        dying = {ref: Death(at, _cause(causes, ref)) for ref, at in gone.items()}
        async with self._database.transaction() as connection:
            await hold_below(connection, dying)
            while dying:
                decisions = await _bury(connection, dying)
                ended |= {
                    one.row.ref: dying[one.row.ref].cause
                    for one in decisions
                    if one.outcome is Outcome.UPDATED
                }
                owners = [one.row.ref for one in decisions if one.row.deleted_at is not None]
                below = await owned_by(connection, owners)
                dying = {ref: dying[owner] for ref, owner in below}
        return ended

    async def mark_seen(self, refs: Sequence[ResourceRef], *, at: datetime) -> int:
        """Note that a read that began at `at` found these; return how many living rows moved."""
        rows = [(ref.cloud, ref.kind, ref.id) for ref in sorted(set(refs))]
        return await self._database.execute(_SQL["mark_seen"], *columns(rows, 3), at)

    async def find(
        self,
        kind: str,
        *,
        cloud: str | None = None,
        deleted: bool = False,
        most: int = 100,
        after: ResourceRef | None = None,
        which: ResourceFilter | None = None,
    ) -> list[ResourceRow]:
        """Return up to `most` resources of `kind` by cloud and id, going on from `after`.

        With `deleted` also those that are gone.
        """
        place = (after.cloud, after.id) if after else (None, None)
        wanted = which or ResourceFilter()
        rows = await self._database.fetch(
            _SQL["find"], kind, cloud, deleted, *place, most, *wanted.parameters
        )
        return [resource_of(row) for row in rows]

    async def get(self, ref: ResourceRef) -> ResourceRow | None:
        """Return one resource, deleted or not; None when nothing was ever heard of it."""
        row = await self._database.fetch_row(_SQL["get"], ref.cloud, ref.kind, ref.id)
        return resource_of(row) if row else None

    async def changes(self, ref: ResourceRef, *, most: int = 1000) -> list[Change]:
        """Return the latest `most` changes of one resource, oldest first."""
        rows = await self._database.fetch(_SQL["changes"], ref.cloud, ref.kind, ref.id, most)
        return [change_of(row) for row in reversed(rows)]

    async def counts(self) -> list[KindCount]:
        """Return how much is held, by cloud and kind."""
        return [KindCount(**dict(row)) for row in await self._database.fetch(_SQL["counts"])]

    async def unseen(
        self,
        cloud: str,
        kind: str,
        *,
        before: datetime,
        most: int,
        after: str | None = None,
        project: str | None = None,
    ) -> list[ResourceRef]:
        """Return living resources that no read found since `before`: suspects after a full pass.

        By id, going on after the id `after`; of one project alone if it is given.
        """
        rows = await self._database.fetch(_SQL["unseen"], cloud, kind, before, after, most, project)
        return [ResourceRef(row["cloud"], row["kind"], row["id"]) for row in rows]

    async def briefs(self, refs: Iterable[ResourceRef]) -> dict[ResourceRef, Brief]:
        """Return a few words on those of `refs` that live."""
        rows = [(ref.cloud, ref.kind, ref.id) for ref in sorted(set(refs))]
        if not rows:
            return {}
        found = await self._database.fetch(_SQL["briefs"], *columns(rows, 3))
        return {
            ResourceRef(row["cloud"], row["kind"], row["id"]): Brief(row["project"], row["status"])
            for row in found
        }

    async def unseen_of(
        self,
        cloud: str,
        kind: str,
        field: str,
        values: Sequence[str],
        *,
        before: datetime,
        most: int,
        after: str | None = None,
    ) -> list[ResourceRef]:
        """Return what `unseen` does, of those whose object has one of `values` in `field`."""
        rows = await self._database.fetch(
            _SQL["unseen_of"], cloud, kind, field, list(values), before, most, after
        )
        return [ResourceRef(row["cloud"], row["kind"], row["id"]) for row in rows]

    async def purge(self, before: datetime) -> int:
        """Forget tombstones and changes older than `before`; return how many rows that were."""
        gone = 0
        for statement in ("purge_tombstones", "purge_changes"):
            while some := await self._database.execute(_SQL[statement], before, _ROWS_AT_ONCE):
                gone += some
        return gone


class Death(NamedTuple):
    """When an object went, and why."""

    at: datetime
    cause: Cause


def _cause(causes: Mapping[ResourceRef, Cause] | Cause, ref: ResourceRef) -> Cause:
    return causes if isinstance(causes, Cause) else causes[ref]


def _result(
    kept: Sequence[Snapshot], decisions: Sequence[Decision], *, refused: int
) -> WriteResult:
    outcomes = [decision.outcome for decision in decisions]
    latest = {decision.row.ref: decision.row for decision in decisions}
    return WriteResult(
        created=outcomes.count(Outcome.CREATED),
        updated=outcomes.count(Outcome.UPDATED),
        unchanged=outcomes.count(Outcome.UNCHANGED),
        stale=outcomes.count(Outcome.STALE) + refused,
        incomplete=frozenset(
            item.ref
            for item in kept
            if latest[item.ref].deleted_at is None
            and (latest[item.ref].read is None or shows_gone(latest[item.ref], item))
        ),
    )


async def _bury(connection: Connection, dying: Mapping[ResourceRef, Death]) -> list[Decision]:
    def decide(rows: dict[ResourceRef, ResourceRow]) -> Iterable[Decision]:
        for ref, death in dying.items():
            yield bury(rows[ref], death.at, death.cause)

    return await apply_decisions(connection, dying, decide)
