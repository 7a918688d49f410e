"""The timeline: every event once, whatever was delivered twice."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import orjson

from shared.errors import Unstorable
from shared.event import Event, Occasion
from shared.store.database import Connection, Database, columns
from shared.store.partitions import Partitions
from shared.store.statements import statements
from shared.store.timeline_classes import EventClasses, class_of
from shared.store.timeline_reading import Reader
from shared.store.timeline_rows import (
    Order,
    Position,
    TimelineFilter,
    TimelineRow,
    timeline_row,
)
from shared.store.timeline_words import message_of, words_of

_SQL = statements("timeline")
_SEPARATOR = "\x1f"  # between the refs of one row, on the way to PostgreSQL
_COLUMNS = 32

Decide = Callable[[Connection, Sequence[Event]], Awaitable[datetime]]
"""Decides about events that are new on the timeline, in the transaction that writes them.

Returns when they are recorded. What it raises keeps the events off the timeline, too.
"""

__all__ = ["Position", "Timeline", "TimelineFilter", "TimelineRow"]


class Timeline:
    """Writes and reads the timeline."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database)
        self._classes = EventClasses(database)
        self._reader = Reader(database)

    async def append(
        self, events: Sequence[Event], *, recorded_at: datetime, decide: Decide | None = None
    ) -> int:
        """Write events that are not there yet, all or none, and return how many that were.

        Safe to repeat and in concurrent calls: one row per (cloud, event id). `decide` is asked
        about those that are new, and about replays, in the same transaction. Raises Unstorable
        when PostgreSQL cannot hold one of them; split the batch to find which.
        """
        unique = {(event.cloud, event.id): event for event in events}
        if not unique:
            return 0
        classes = {key: class_of(event) for key, event in unique.items()}
        numbers = await self._classes.numbers(classes.values())
        rows = [_row(unique[key], numbers[classes[key]]) for key in sorted(unique)]
        await self._partitions.ensure((event.time for event in events), now=recorded_at)
        async with self._database.transaction() as connection:
            new = await _add_ids(connection, rows)
            fresh = rows if len(new) == len(rows) else [row for row in rows if row[:2] in new]
            if decide is not None and (asked := _to_decide(unique.values(), new)):
                recorded_at = await decide(connection, asked)
            if fresh:
                await connection.execute(_SQL["add_events"], recorded_at, *columns(fresh, _COLUMNS))
        return len(fresh)

    async def find(
        self,
        which: TimelineFilter,
        *,
        most: int = 100,
        before: Position | None = None,
        order: Order = "newest",
    ) -> list[TimelineRow]:
        """Return up to `most` events in an order, going on from `before`.

        Raises ValueError when the filter's text holds no word.
        """
        return await self._reader.page(which, most=most, after=before, order=order)

    async def get(self, cloud: str, event_id: str) -> TimelineRow | None:
        """Return one event."""
        row = await self._database.fetch_row(_SQL["get"], cloud, event_id)
        return timeline_row(row) if row else None

    async def purge(self, before: datetime) -> list[str]:
        """Drop the weeks that ended before a moment; return the names of their partitions."""
        return await self._partitions.purge(before)


async def _add_ids(
    connection: Connection, rows: list[tuple[object, ...]]
) -> set[tuple[object, ...]]:
    """Return the (cloud, id) pairs of `rows` that were new, and are ours from now on."""
    keys = columns([row[:3] for row in rows], 3)
    return {tuple(row) for row in await connection.fetch(_SQL["add_ids"], *keys)}


def _to_decide(events: Iterable[Event], new: set[tuple[object, ...]]) -> list[Event]:
    """Return what rules have to decide about: news, and what was sent again for them."""
    return [
        event
        for event in events
        if (event.cloud, event.id) in new or event.occasion is Occasion.REPLAY
    ]


def _row(event: Event, class_: int) -> tuple[object, ...]:
    """Return the columns of `add_events` from the second parameter on."""
    subject = event.subject
    message = message_of(event.payload)
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
        class_,
        len(event.subjects),
        message,
        _SEPARATOR.join(words_of(event.name, message)) or None,
        None if event.occasion is Occasion.NEWS else event.occasion,
    )


def _json(event: Event) -> str:
    try:
        return orjson.dumps(event.payload).decode()
    except TypeError as error:
        raise Unstorable(f"the payload of event {event.id} is not JSON: {error}") from error
