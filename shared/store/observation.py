"""What a row of the inventory becomes when a snapshot or a deletion arrives: pure, no SQL.

The rules make the outcome independent of the order of arrival, and of repeats:

* A read writes every field, a notification (`Snapshot.partial`) the fields it tells. Each field is
  that of the newest snapshot that wrote it: of the higher revision where both have one (Neutron's
  `revision_number`), otherwise of the later moment. Of two of one version, the read wins.
* What a read was not allowed to show (`Snapshot.hidden`) stays as it was last told.
* An element that a notification tells gone from a list (`Snapshot.gone`) is left out of every read
  that is not newer.
* `seen_at` is the latest read that found the object, `told_at` the latest notification that
  described it, `deleted_at` the latest deletion.
* It lives when no deletion is known, or when a read saw it after the latest one. A deletion older
  than `seen_at` says nothing; a snapshot not newer than the deletion does not revive, and a
  notification never does: its time is another clock's. They only tell how the object looked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.snapshot import Cause, Change, ChangeKind, Snapshot
from shared.store.resource_row import ResourceRow, Version

_COLUMNS = ("name", "project", "status")
# Fields of an object and the columns beside it share one map of versions; no API has such names.
_COLUMN_MARK = "column:"
# And so do the elements that are gone from lists: `gone:<field>/<id>`.
_GONE_MARK = "gone:"
_LINGERS = timedelta(seconds=1)
"""How long a read can still find an element told to be gone: Nova tells of a detached volume a
moment before it forgets the mapping (`_detach_volume` in `nova/compute/manager.py`)."""


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
    after, newer = (_tell if snapshot.partial else _replace)(row, snapshot)
    if row.deleted_at is not None and (after.seen_at is None or after.seen_at <= row.deleted_at):
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


def _replace(row: ResourceRow, snapshot: Snapshot) -> tuple[ResourceRow, bool]:
    """Take over a read, except what a newer notification told; False when it is an old one."""
    version = Version(snapshot.revision, snapshot.observed_at)
    seen_at = max(row.seen_at or snapshot.observed_at, snapshot.observed_at)
    if row.read is not None and not _replaces(version, row.read):
        return replace(row, seen_at=seen_at), False
    kept = {
        name: told
        for name, told in row.told.items()
        if name in snapshot.hidden or told.beats(version, ties=False)
    }
    told = {name for name in kept if not name.startswith(_GONE_MARK)}
    told |= snapshot.hidden & (row.object or {}).keys()
    before = _fields(row) if told else {}
    after = replace(
        row,
        name=snapshot.name,
        project=snapshot.project,
        status=snapshot.status,
        object=snapshot.object,
        revision=snapshot.revision,
        observed_at=snapshot.observed_at,
        seen_at=seen_at,
        told=kept,
    )
    return _without_gone(_with_fields(after, {name: before.get(name) for name in told})), True


def _replaces(version: Version, read: Version) -> bool:
    """Tell whether a read is as new as the latest; of one revision, the later moment counts."""
    if version.revision is not None and version.revision == read.revision:
        return version.at >= read.at
    return version.beats(read, ties=True)


def _tell(row: ResourceRow, snapshot: Snapshot) -> tuple[ResourceRow, bool]:
    """Take over the fields of a notification that nothing newer has written."""
    version = Version(snapshot.revision, snapshot.observed_at)
    told_at = max(row.told_at or snapshot.observed_at, snapshot.observed_at)
    news = {
        name: value for name, value in _fields(snapshot).items() if _is_news(row, name, version)
    }
    last_seen = Version(None, version.at + _LINGERS)
    gone = [name for name in _gone(snapshot) if _is_news(row, name, last_seen)]
    if not news and not gone:
        return replace(row, told_at=told_at), False
    told = {**row.told, **dict.fromkeys(news, version), **dict.fromkeys(gone, last_seen)}
    after = replace(_with_fields(row, news), told_at=told_at, told=told)
    return (_without_gone(after) if gone else after), True


def _is_news(row: ResourceRow, name: str, version: Version) -> bool:
    told = row.told.get(name)
    if told is not None:
        # Of one revision the later word counts; two of one moment are one and the same.
        same = told.revision is not None and told.revision == version.revision
        return version.at >= told.at if same else version.beats(told, ties=True)
    return row.read is None or version.beats(row.read, ties=False)


def _fields(known: ResourceRow | Snapshot) -> dict[str, Any]:
    """Return the fields of the object and the columns; a notification's columns where it tells."""
    columns = {f"{_COLUMN_MARK}{name}": getattr(known, name) for name in _COLUMNS}
    if isinstance(known, Snapshot) and known.partial:
        columns = {name: value for name, value in columns.items() if value is not None}
    return {**(known.object or {}), **columns}


def _with_fields(row: ResourceRow, news: Mapping[str, Any]) -> ResourceRow:
    """Put some fields and columns, named as `_fields` does, over those of a row."""
    if not news:
        return row
    columns = {name: news.get(f"{_COLUMN_MARK}{name}", getattr(row, name)) for name in _COLUMNS}
    fields = {name: value for name, value in news.items() if not name.startswith(_COLUMN_MARK)}
    return replace(row, object={**(row.object or {}), **fields}, **columns)


def shows_gone(row: ResourceRow, snapshot: Snapshot) -> bool:
    """Tell whether `row` lists what `snapshot` tells gone: it came back, or a clock is slow."""
    return any(
        not ids.isdisjoint(map(_element_id, _elements(row, name)))
        for name, ids in snapshot.gone.items()
    )


def _gone(snapshot: Snapshot) -> list[str]:
    return [f"{_GONE_MARK}{name}/{id_}" for name, ids in snapshot.gone.items() for id_ in ids]


def _without_gone(row: ResourceRow) -> ResourceRow:
    """Leave out of the lists of an object what `told` says is gone."""
    gone: dict[str, set[str]] = {}
    for mark in row.told:
        if mark.startswith(_GONE_MARK):
            name, _, id_ = mark.removeprefix(_GONE_MARK).rpartition("/")
            gone.setdefault(name, set()).add(id_)
    lists = {
        name: [element for element in _elements(row, name) if _element_id(element) not in ids]
        for name, ids in gone.items()
        if _elements(row, name)
    }
    return replace(row, object={**(row.object or {}), **lists}) if lists else row


def _elements(row: ResourceRow, name: str) -> list[Any]:
    value = (row.object or {}).get(name)
    return value if isinstance(value, list) else []


def _element_id(element: object) -> str | None:
    id_ = element.get("id") if isinstance(element, Mapping) else None
    return id_ if isinstance(id_, str) else None


def _differences(
    before: ResourceRow, after: ResourceRow, at: datetime, cause: Cause
) -> tuple[Change, ...]:
    """Return one change per top-level field that differs; an absent field counts as None.

    What the first read adds to the words of a notification was so before: it is no change.
    """
    old, new = before.object or {}, after.object or {}
    if old == new:
        return ()
    known = old.keys() if before.read is None else old.keys() | new.keys()
    return tuple(
        Change(before.ref, at, ChangeKind.UPDATED, field, old.get(field), new.get(field), cause)
        for field in sorted(known)
        if old.get(field) != new.get(field)
    )
