"""The inventory: one row per object, its history, and the rule that an older write never wins.

The rule itself is pure and stands in `shared.store.observation`; here rows are locked, decided on
and written, in a handful of statements per batch however large.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import orjson

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Change, ChangeKind, Snapshot
from shared.store.database import Connection, Database, columns
from shared.store.digest import as_json, digest_of
from shared.store.links import save_links
from shared.store.observation import (
    Decision,
    Outcome,
    ResourceRow,
    Version,
    bury,
    observe,
    shows_gone,
)
from shared.store.owning import buried_owners, hold_below, owned_by, parted
from shared.store.resource_filter import ResourceFilter
from shared.store.statements import statements

_SQL = statements("inventory")
_ROWS_AT_ONCE = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

__all__ = ["Inventory", "KindCount", "ResourceRow", "WriteResult"]


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

            decisions = await _apply(connection, (item.ref for item in kept), decide)
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
        return [_resource(row) for row in rows]

    async def get(self, ref: ResourceRef) -> ResourceRow | None:
        """Return one resource, deleted or not; None when nothing was ever heard of it."""
        row = await self._database.fetch_row(_SQL["get"], ref.cloud, ref.kind, ref.id)
        return _resource(row) if row else None

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
    ) -> list[ResourceRef]:
        """Return what `unseen` does, of those whose object has one of `values` in `field`."""
        rows = await self._database.fetch(
            _SQL["unseen_of"], cloud, kind, field, list(values), before, most
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

    return await _apply(connection, dying, decide)


async def _apply(
    connection: Connection,
    refs: Iterable[ResourceRef],
    decide: Callable[[dict[ResourceRef, ResourceRow]], Iterable[Decision]],
) -> list[Decision]:
    """Lock the rows of `refs`, put each decision into effect, and return them.

    `decide` reads the rows anew for each decision, so that it sees what the last one made.
    """
    wanted = [(ref.cloud, ref.kind, ref.id) for ref in sorted(set(refs))]
    if not wanted:
        return []
    keys = columns(wanted, 3)
    await connection.execute(_SQL["make_rows"], *keys)
    found = await connection.fetch(_SQL["lock_rows"], *keys)
    before = {row.ref: row for row in map(_resource, found)}
    unsure = frozenset(
        ref
        for ref, row in zip(before, found, strict=True)
        if _is_unsure(before[ref], row["digest"])
    )
    rows = dict(before)
    decisions = []
    for decision in decide(rows):
        rows[decision.row.ref] = decision.row
        decisions.append(decision)
    await _save(connection, before, rows)
    await save_links(connection, before, rows, unsure)
    await _add_changes(connection, [item for one in decisions for item in one.changes])
    return decisions


def _is_unsure(row: ResourceRow, digest: bytes | None) -> bool:
    """Tell whether a row's links may be others than its object tells by the rules of today."""
    if row.object is None:
        return False
    return digest != digest_of(row.ref, row.name, row.project, row.status, row.object)


async def _save(
    connection: Connection,
    before: Mapping[ResourceRef, ResourceRow],
    after: Mapping[ResourceRef, ResourceRow],
) -> None:
    """Write the rows that differ: whole, or, where the object stayed, only when it was seen."""
    whole, times = [], []
    for ref, row in after.items():
        old = before[ref]
        moments = _moments(row)
        content = (row.name, row.project, row.status)
        if row.object != old.object or content != (old.name, old.project, old.status):
            object_ = None if row.object is None else as_json(ref, row.object)
            digest = digest_of(ref, *content, row.object)
            whole.append((ref.cloud, ref.kind, ref.id, *content, object_, *moments, digest))
        elif moments != _moments(old):
            digest = digest_of(ref, *content, row.object)
            times.append((ref.cloud, ref.kind, ref.id, *moments, digest))
    if whole:
        await connection.execute(_SQL["write_rows"], *columns(whole, 14))
    if times:
        await connection.execute(_SQL["touch_rows"], *columns(times, 10))


def _moments(row: ResourceRow) -> tuple[Any, ...]:
    """Return the columns that say of when the row is, in the order of the statements."""
    told = {name: [one.revision, _microseconds(one.at)] for name, one in sorted(row.told.items())}
    return (
        row.revision,
        row.observed_at,
        row.seen_at,
        row.deleted_at,
        row.told_at,
        orjson.dumps(told).decode() if told else None,
    )


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _told(text: str | None) -> dict[str, Version]:
    return {
        name: Version(revision, _EPOCH + microseconds * _MICROSECOND)
        for name, (revision, microseconds) in orjson.loads(text or "{}").items()
    }


async def _add_changes(connection: Connection, changes: Sequence[Change]) -> None:
    if not changes:
        return
    rows = [
        (
            change.ref.cloud,
            change.ref.kind,
            change.ref.id,
            change.at,
            change.kind,
            change.field,
            None if change.field is None else as_json(change.ref, change.old),
            None if change.field is None else as_json(change.ref, change.new),
            change.cause.kind,
            change.cause.id,
        )
        for change in changes
    ]
    await connection.execute(_SQL["add_changes"], *columns(rows, 10))


def _resource(row: asyncpg.Record) -> ResourceRow:
    return ResourceRow(
        ref=ResourceRef(row["cloud"], row["kind"], row["id"]),
        name=row["name"],
        project=row["project"],
        status=row["status"],
        object=None if row["object"] is None else orjson.loads(row["object"]),
        revision=row["revision"],
        observed_at=row["observed_at"],
        seen_at=row["seen_at"],
        deleted_at=row["deleted_at"],
        told_at=row["told_at"],
        told=_told(row["told"]),
        first_seen=row["first_seen"],
    )


def change_of(row: asyncpg.Record) -> Change:
    """Read a row of the table `changes`."""
    return Change(
        ref=ResourceRef(row["cloud"], row["kind"], row["resource_id"]),
        at=row["at"],
        kind=ChangeKind(row["change"]),
        field=row["field"],
        old=None if row["old"] is None else orjson.loads(row["old"]),
        new=None if row["new"] is None else orjson.loads(row["new"]),
        cause=Cause(CauseKind(row["cause_kind"]), row["cause"]),
    )
