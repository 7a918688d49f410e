"""How resources and their changes stand in the columns of their tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Change, ChangeKind
from shared.store.resource_row import ResourceRow, Version

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def resource_of(row: asyncpg.Record) -> ResourceRow:
    """Read a row of the table `resources`."""
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


def moments_of(row: ResourceRow) -> tuple[Any, ...]:
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
