"""The timeline: every event once, whatever was delivered twice; newest first, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from shared.errors import Unstorable
from shared.event import Event
from shared.store.database import Connection, Database, columns
from shared.store.partitions import Partitions
from shared.store.statements import statements

_SQL = statements("timeline")
_SEPARATOR = "\x1f"  # between the refs of one row, on the way to PostgreSQL
_COLUMNS = 27


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows of the timeline; take it from `TimelineRow.position`."""

    time: datetime
    id: str
    cloud: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFilter:
    """Which events; None means any."""

    cloud: str | None = None
    since: datetime | None = None
    """Not before this moment."""
    until: datetime | None = None
    """Before this moment."""
    type: str | None = None
    """Event type, as sent or canonical; `*` stands for anything, as in `compute.instance.*`."""
    category: str | None = None
    level: str | None = None
    kind: str | None = None
    """With `id`: events that have this object as subject or as related."""
    id: str | None = None
    project: str | None = None
    user: str | None = None
    request_id: str | None = None
    host: str | None = None
    service: str | None = None
    once: bool = False
    """Show once what came under two names, as with Nova's `notification_format = both`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One event of the timeline; the fields mean what those of `shared.event.Event` mean."""

    cloud: str
    id: str
    time: datetime
    type: str
    canonical: str
    service: str
    publisher: str
    priority: str
    flavour: str
    category: str
    level: str
    action: str
    phase: str
    known: bool
    synthetic: bool
    subject_kind: str | None
    subject_id: str | None
    refs: tuple[str, ...]
    """All subjects and related objects as `kind/id`, the subject first."""
    name: str | None
    project: str | None
    user_id: str | None
    request_id: str | None
    host: str | None
    zone: str | None
    old_state: str | None
    state: str | None
    payload: Any
    recorded_at: datetime
    """When we wrote it down."""

    @property
    def position(self) -> Position:
        """Where to go on after this row."""
        return Position(self.time, self.id, self.cloud)


_FIELDS = tuple(field.name for field in fields(TimelineRow))


class Timeline:
    """Writes and reads the timeline."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database)

    async def append(self, events: Sequence[Event], *, recorded_at: datetime) -> int:
        """Write events that are not there yet, all or none, and return how many that were.

        Safe to repeat and in concurrent calls: one row per (cloud, event id). Raises Unstorable
        when PostgreSQL cannot hold one of them; split the batch to find which.
        """
        unique = {(event.cloud, event.id): event for event in events}
        rows = [_row(unique[key]) for key in sorted(unique)]
        if not rows:
            return 0
        await self._partitions.ensure((event.time for event in events), now=recorded_at)
        async with self._database.transaction() as connection:
            new = await _add_ids(connection, rows)
            fresh = rows if len(new) == len(rows) else [row for row in rows if row[:2] in new]
            if fresh:
                await connection.execute(_SQL["add_events"], recorded_at, *columns(fresh, _COLUMNS))
        return len(fresh)

    async def find(
        self, which: TimelineFilter, *, most: int = 100, before: Position | None = None
    ) -> list[TimelineRow]:
        """Return up to `most` events, newest first, going on from `before`."""
        rows = await self._database.fetch(
            _SQL["find"],
            *((before.time, before.id, before.cloud) if before else (None, None, None)),
            which.cloud,
            which.since,
            which.until,
            _like(which.type),
            which.category,
            which.level,
            None if which.kind is None else f"{which.kind}/{which.id}",
            which.project,
            which.user,
            which.request_id,
            which.host,
            which.service,
            which.once,
            most,
        )
        return [_timeline_row(row) for row in rows]

    async def get(self, cloud: str, event_id: str) -> TimelineRow | None:
        """Return one event."""
        row = await self._database.fetch_row(_SQL["get"], cloud, event_id)
        return _timeline_row(row) if row else None

    async def purge(self, before: datetime) -> list[str]:
        """Drop the weeks that ended before a moment; return the names of their partitions."""
        return await self._partitions.purge(before)


async def _add_ids(
    connection: Connection, rows: list[tuple[object, ...]]
) -> set[tuple[object, ...]]:
    """Return the (cloud, id) pairs of `rows` that were new, and are ours from now on."""
    keys = columns([row[:3] for row in rows], 3)
    return {tuple(row) for row in await connection.fetch(_SQL["add_ids"], *keys)}


def _row(event: Event) -> tuple[object, ...]:
    """Return the columns of `add_events` from the second parameter on."""
    subject = event.subject
    return (
        event.cloud,
        event.id,
        event.time,
        event.type,
        event.service,
        event.publisher,
        event.priority,
        event.flavour,
        event.category,
        event.level,
        event.action,
        event.phase,
        event.known,
        event.synthetic,
        subject.kind if subject else None,
        subject.id if subject else None,
        _SEPARATOR.join(map(str, (*event.subjects, *event.related))),
        event.name,
        event.project,
        event.user,
        event.request_id,
        event.host,
        event.zone,
        event.old_state,
        event.state,
        event.canonical,
        _json(event),
    )


def _json(event: Event) -> str:
    try:
        return orjson.dumps(event.payload).decode()
    except TypeError as error:
        raise Unstorable(f"the payload of event {event.id} is not JSON: {error}") from error


def _like(pattern: str | None) -> str | None:
    """Return `pattern`, where `*` is anything, as LIKE writes it."""
    if pattern is None:
        return None
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%")


def _timeline_row(row: asyncpg.Record) -> TimelineRow:
    values = {name: row[name] for name in _FIELDS}
    values["canonical"] = row["canonical"] or row["type"]
    values["refs"] = tuple(row["refs"])
    values["payload"] = orjson.loads(row["payload"])
    return TimelineRow(**values)
