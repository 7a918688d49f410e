"""Puts decisions about resources into effect: rows are locked, decided on and written.

A handful of statements per batch, however large. What to decide is the caller's; the rules stand in
`shared.store.observation`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.resource import ResourceRef
from shared.snapshot import Change
from shared.store.database import Connection, columns
from shared.store.digest import as_json, digest_of
from shared.store.links import save_links
from shared.store.observation import Decision
from shared.store.resource_columns import moments_of, resource_of
from shared.store.resource_row import ResourceRow
from shared.store.statements import statements

_SQL = statements("applying")


async def apply_decisions(
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
    before = {row.ref: row for row in map(resource_of, found)}
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
        moments = moments_of(row)
        content = (row.name, row.project, row.status)
        if row.object != old.object or content != (old.name, old.project, old.status):
            object_ = None if row.object is None else as_json(ref, row.object)
            digest = digest_of(ref, *content, row.object)
            whole.append((ref.cloud, ref.kind, ref.id, *content, object_, *moments, digest))
        elif moments != moments_of(old):
            digest = digest_of(ref, *content, row.object)
            times.append((ref.cloud, ref.kind, ref.id, *moments, digest))
    if whole:
        await connection.execute(_SQL["write_rows"], *columns(whole, 14))
    if times:
        await connection.execute(_SQL["touch_rows"], *columns(times, 10))


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
