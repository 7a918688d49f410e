"""What a row of the inventory becomes when a snapshot or a deletion arrives: pure, no SQL.

The rules make the outcome independent of the order of arrival, and of repeats:

* The object is the newest snapshot's: of the higher revision where both have one (Neutron's
  `revision_number`), otherwise of the later read.
* `seen_at` is the latest read that found the object, `deleted_at` the latest deletion.
* It lives when it was seen after the latest deletion. A deletion older than `seen_at` says nothing;
  a snapshot not newer than the deletion does not revive, it only tells how the object looked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from shared.resource import ResourceRef
from shared.snapshot import Cause, Change, ChangeKind, Snapshot


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One resource as the inventory holds it."""

    ref: ResourceRef
    name: str | None = None
    project: str | None = None
    status: str | None = None
    object: Mapping[str, Any] | None = None
    """As the API gave it; None when a deletion is all that was ever heard."""
    revision: int | None = None
    observed_at: datetime | None = None
    """When the read that gave `object` began; None like it."""
    seen_at: datetime | None = None
    """When the latest read that found it began; None when no read ever did."""
    deleted_at: datetime | None = None
    """None while it lives."""

    @property
    def unknown(self) -> bool:
        """Nothing was ever heard of it."""
        return self.seen_at is None and self.deleted_at is None


class Outcome(Enum):
    """What a snapshot was to the inventory."""

    CREATED = "created"
    UPDATED = "updated"
    """Also when it brings back what was held for deleted."""
    UNCHANGED = "unchanged"
    STALE = "stale"
    """Older than what is known; refused."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The row as it is to be, and what to tell about it."""

    row: ResourceRow
    outcome: Outcome
    changes: tuple[Change, ...] = ()


def observe(row: ResourceRow, snapshot: Snapshot, cause: Cause) -> Decision:
    """Decide what `snapshot` makes of `row`."""
    newer = _is_newer(row, snapshot)
    seen_at = max(row.seen_at or snapshot.observed_at, snapshot.observed_at)
    after = replace(_with_object(row, snapshot) if newer else row, seen_at=seen_at)
    if row.deleted_at is not None and seen_at <= row.deleted_at:
        return Decision(after, Outcome.STALE)
    after = replace(after, deleted_at=None)
    at = snapshot.observed_at
    if row.unknown:
        change = Change(row.ref, at, ChangeKind.CREATED, None, None, None, cause)
        return Decision(after, Outcome.CREATED, (change,))
    changes = _differences(row, after, at, cause) if row.object is not None else ()
    if row.deleted_at is not None:
        restored = Change(row.ref, at, ChangeKind.RESTORED, None, None, None, cause)
        return Decision(after, Outcome.UPDATED, (restored, *changes))
    if not newer:
        return Decision(after, Outcome.STALE)
    return Decision(after, Outcome.UPDATED if changes else Outcome.UNCHANGED, changes)


def bury(row: ResourceRow, at: datetime, cause: Cause) -> Decision:
    """Decide what a deletion at `at` makes of `row`; UPDATED when it ended a life."""
    if row.seen_at is not None and row.seen_at > at:
        return Decision(row, Outcome.STALE)
    if row.deleted_at is not None:
        return Decision(replace(row, deleted_at=max(row.deleted_at, at)), Outcome.UNCHANGED)
    after = replace(row, deleted_at=at)
    if row.unknown:
        return Decision(after, Outcome.CREATED)
    change = Change(row.ref, at, ChangeKind.DELETED, None, None, None, cause)
    return Decision(after, Outcome.UPDATED, (change,))


def _is_newer(row: ResourceRow, snapshot: Snapshot) -> bool:
    """Tell whether the snapshot's object replaces the row's, or is the same one again."""
    if row.observed_at is None:
        return True
    if row.revision is not None and snapshot.revision is not None:
        return (snapshot.revision, snapshot.observed_at) >= (row.revision, row.observed_at)
    return snapshot.observed_at >= row.observed_at


def _with_object(row: ResourceRow, snapshot: Snapshot) -> ResourceRow:
    return replace(
        row,
        name=snapshot.name,
        project=snapshot.project,
        status=snapshot.status,
        object=snapshot.object,
        revision=snapshot.revision,
        observed_at=snapshot.observed_at,
    )


def _differences(
    before: ResourceRow, after: ResourceRow, at: datetime, cause: Cause
) -> tuple[Change, ...]:
    """Return one change per top-level field that differs; an absent field counts as None."""
    old, new = before.object or {}, after.object or {}
    if old == new:
        return ()
    return tuple(
        Change(before.ref, at, ChangeKind.UPDATED, field, old.get(field), new.get(field), cause)
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
    )
