"""How a resource was at an earlier moment: its changes since then, undone. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from shared.snapshot import Change, ChangeKind
from shared.store.resource_row import ResourceRow


def undone(row: ResourceRow, later: Sequence[Change]) -> ResourceRow | None:
    """Return the row as it was before `later`, its changes since a moment, the newest first.

    None when it did not live then, or nobody had heard of it. A field that was absent and one that
    was null are the same to the history: both are left out. The columns beside the object and the
    moments of observation stay those of the row.
    """
    alive = row.deleted_at is None
    known = dict(row.object or {})
    for change in later:
        if change.kind is ChangeKind.CREATED:
            return None
        if change.kind is ChangeKind.UPDATED:
            assert change.field is not None, "an update is of a field"
            known.pop(change.field, None)
            if change.old is not None:
                known[change.field] = change.old
        else:
            alive = change.kind is ChangeKind.DELETED
    return replace(row, object=known, deleted_at=None) if alive else None
