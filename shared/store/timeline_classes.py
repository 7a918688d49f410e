"""Classes of events: what few values tell apart, under one small number.

See docs/decisions/0010-classes-of-events.md.
"""

from collections.abc import Iterable
from typing import TypeAlias

from shared.event import Event
from shared.store.database import Database, columns
from shared.store.statements import statements

_SQL = statements("timeline")
_LONGEST_STATE = 100
_MOST_KNOWN = 100_000
"""A cloud has some thousands; more are forgotten here and asked for again."""

EventClass: TypeAlias = tuple[str, str, str, str, str, str, str, str, bool]
"""Cloud, type, canonical type, service, category, level, kind of the subject, state, synthetic."""


class EventClasses:
    """Knows the numbers of classes, so that a writer asks for each once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[EventClass, int] = {}

    async def numbers(self, classes: Iterable[EventClass]) -> dict[EventClass, int]:
        """Return the number of each class; new ones get theirs, in concurrent calls the same.

        Raises Unstorable when PostgreSQL cannot hold one of them.
        """
        wanted = set(classes)
        found = {each: self._numbers[each] for each in wanted if each in self._numbers}
        if missing := sorted(wanted - found.keys()):
            asked = columns(missing, 9)
            await self._database.execute(_SQL["add_classes"], *asked)
            for number, *values in await self._database.fetch(_SQL["classes"], *asked):
                found[tuple(values)] = number
            if len(self._numbers) > _MOST_KNOWN:
                self._numbers.clear()
            self._numbers |= found
        return found


async def class_values(database: Database) -> dict[str, set[str]]:
    """Return which clouds, services, categories and kinds events have had so far, by field."""
    found: dict[str, set[str]] = {
        "cloud": set(),
        "service": set(),
        "category": set(),
        "kind": set(),
    }
    for field, value in await database.fetch(_SQL["class_values"]):
        found[field].add(value)
    return found


def class_of(event: Event) -> EventClass:
    """Return the class of an event."""
    return (
        event.cloud,
        event.type,
        event.canonical,
        event.service,
        event.category,
        event.level,
        event.subjects[0].kind if event.subjects else "",
        (event.state or "")[:_LONGEST_STATE],
        event.synthetic,
    )
