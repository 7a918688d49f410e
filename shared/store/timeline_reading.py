"""Reads the timeline: pages in either order, counts in buckets, and what is new.

A page is gathered week by week, from the end where it begins, until it is full: the newest hundred
events of a common kind touch one partition, and PostgreSQL plans each week for what is in it.
Where the filter names only what a class of events tells (cloud, type, level, ...), the indexes say
first, from the index alone, where the page will end; only then rows are read.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from shared.store.database import Database
from shared.store.statements import statements
from shared.store.timeline_rows import (
    Order,
    Position,
    TimelineFilter,
    TimelineRow,
    in_utc,
    timeline_row,
)
from shared.store.timeline_words import query_of, words_of

_SQL = statements("timeline_reading")
_WEEK = timedelta(weeks=1)
_AT_ONCE = 500
_CLASSES = 2
"""Where a question's parameters have the classes."""

Part = Literal["category", "level", "type", "service", "cloud"]
"""By what buckets are divided."""
Span = tuple[datetime | None, datetime | None]
"""From, included, and to, excluded; None: without end."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many events began within one stretch of time."""

    begins: datetime
    label: str
    """The category, level, ... that they share."""
    count: int


@dataclass(frozen=True, slots=True)
class _Question:
    """A filter in the words of the statements."""

    classes: list[int] | None
    """None: any; the empty list: there is nothing to find."""
    text_classes: list[int] | None
    which: TimelineFilter

    @property
    def by_class_only(self) -> bool:
        """Whether the class alone decides on a row, apart from its time."""
        which = self.which
        others = (which.id, which.project, which.user, which.request_id, which.host, which.text)
        return self.classes is not None and not which.once and not any(others)

    def parameters(self, span: Span) -> list[object]:
        """Return the parameters $1 to $14 that every statement takes."""
        which, around = self.which, self.which.around
        ref = f"{which.kind}/{which.id}" if which.id is not None else None
        return [
            *span,
            self.classes,
            None if ref is None else [ref, *(around.objects if around else ())],
            ref if around else None,
            which.project,
            which.user,
            which.request_id,
            which.host,
            query_of(which.text) if which.text is not None else None,
            self.text_classes,
            which.once,
            [window[0] for window in around.windows] if around else None,
            [window[1] for window in around.windows] if around else None,
        ]


class Reader:
    """Answers questions about the events of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, which: TimelineFilter, *, most: int, after: Position | None, order: Order
    ) -> list[TimelineRow]:
        """Return up to `most` events in an order, those that come after a position."""
        question = await self._question(which)
        if question.classes == []:
            return []
        found: list[TimelineRow] = []
        for week in await self._spans(which, after, order):
            wanted = most - len(found)
            span = await self._page_span(question, week, after, order, wanted)
            if span is None:
                continue
            place = (after.time, after.id, after.cloud) if after else (None, None, None)
            parameters = question.parameters(span)
            statement, last = _SQL[order], (*place, wanted)
            if question.by_class_only:
                parameters[_CLASSES] = None
                statement = _SQL[f"{order}_by_class"]
                last = (*last, question.classes)
            rows = await self._database.fetch(statement, *parameters, *last)
            found += map(timeline_row, rows)
            if len(found) >= most:
                break
        return found

    async def buckets(self, which: TimelineFilter, *, length: timedelta, by: Part) -> list[Bucket]:
        """Return how many events began in each stretch of `length`, in the order of time.

        Stretches without any event are left out. Those of whole hours or days begin with them, UTC.
        """
        question = await self._question(which)
        if question.classes == []:
            return []
        parameters = question.parameters((which.since, which.until))
        rows = await self._database.fetch(_SQL["buckets"], *parameters, length, by)
        return [Bucket(row["bucket"], row["label"], row["count"]) for row in rows]

    async def here(self) -> str:
        """Return a mark of what is visible now, for `news`."""
        return str(await self._database.fetch_value(_SQL["here"]))

    async def news(
        self, which: TimelineFilter, since: str, until: str
    ) -> AsyncIterator[list[TimelineRow]]:
        """Yield what became visible between two marks, transaction by transaction, in parts.

        Exactly that, whatever order writers commit in, however old the events are. No transaction
        is open while the caller has a part in hand: it would hold up the writers at a week's turn.
        """
        question = await self._question(which)
        parameters = question.parameters((which.since, which.until))
        last: tuple[object, ...] = (None, None, None, None)
        while True:
            rows = await self._database.fetch(
                _SQL["news"], *parameters, since, until, *last, _AT_ONCE
            )
            if rows:
                yield [timeline_row(row) for row in rows]
            if len(rows) < _AT_ONCE:
                return
            last = tuple(rows[-1][name] for name in ("written", "time", "id", "cloud"))

    async def _question(self, which: TimelineFilter) -> _Question:
        """Look up the classes that a filter asks for."""
        about = (
            which.cloud,
            list(which.categories) or None,
            list(which.levels) or None,
            which.service,
            [like(pattern) for pattern in which.types] or None,
            which.kind if which.id is None else None,
            which.state,
            which.synthetic,
        )
        if which.text is None and all(value is None for value in about):
            return _Question(None, None, which)
        words = words_of(which.text)
        row = await self._database.fetch_row(
            _SQL["classes"], *about, [f"%{word}%" for word in words] or None
        )
        assert row is not None, "an aggregate is one row"
        any_class = all(value is None for value in about)
        return _Question(
            None if any_class else row["wanted"] or [],
            (row["texts"] or []) if words else None,
            which,
        )

    async def _spans(
        self, which: TimelineFilter, after: Position | None, order: Order
    ) -> Sequence[Span]:
        """Return the weeks that a page may come from, in its order."""
        weeks = [row["begins"] for row in await self._database.fetch(_SQL["weeks"])]
        since, until = which.since, which.until
        if after is not None and order == "newest":
            until = _earlier(until, _just_after(after.time))
        elif after is not None:
            since = after.time if since is None else max(since, after.time)
        found = list(spans(weeks, since, until))
        return found[::-1] if order == "newest" else found

    async def _page_span(
        self, question: _Question, span: Span, after: Position | None, order: Order, wanted: int
    ) -> Span | None:
        """Return the part of `span` that holds the next `wanted` events, or all that there are.

        None when there is none. Events of the very time of `after` are not counted, only included:
        which of them come after it, the rows have to say.
        """
        if not question.by_class_only:
            return span
        since, until = span
        if order == "newest" and after is not None:
            until = _earlier(until, after.time)
        elif after is not None:
            later = _just_after(after.time) or after.time
            since = later if since is None else max(since, later)
        row = await self._database.fetch_row(
            _SQL[f"{order}_of_classes"], question.classes, since, until, wanted
        )
        assert row is not None, "an aggregate is one row"
        if row["events"] == 0 and (since, until) == span:
            return None
        if row["events"] < wanted:
            return span
        edge = in_utc(row["edge"])
        return (edge, span[1]) if order == "newest" else (span[0], _just_after(edge))


def spans(
    weeks: Iterable[datetime], since: datetime | None, until: datetime | None
) -> Iterable[Span]:
    """Yield the time from `since` to `until` cut where a week begins or ends, oldest first.

    `weeks` are the beginnings of those that have a partition, in order. What lies between, before
    and after them is yielded too: outlying events are there.
    """
    edges = sorted({edge for week in weeks for edge in (week, week + _WEEK)})
    begin = since
    for edge in edges:
        if (begin is not None and edge <= begin) or (until is not None and edge >= until):
            continue
        yield begin, edge
        begin = edge
    if begin is None or until is None or begin < until:
        yield begin, until


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two ends, of which None is never."""
    ends = [end for end in (one, other) if end is not None]
    return min(ends) if ends else None


def _just_after(moment: datetime) -> datetime | None:
    """Return the end that includes `moment` and nothing later; None for the last moment of all."""
    tick = timedelta(microseconds=1)
    return moment + tick if moment <= datetime.max.replace(tzinfo=UTC) - tick else None


def like(pattern: str) -> str:
    """Return `pattern`, where `*` is anything, as LIKE writes it."""
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%")
