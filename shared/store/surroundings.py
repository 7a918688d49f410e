"""What lies around one object: what its events and the inventory connect it with, and when.

Neighbours are the objects that events name together with it, and those that the inventory links to
it; they count with their own events, about the time of its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.links import Links
from shared.store.statements import statements
from shared.store.timeline_rows import Surroundings, TimelineFilter

_SQL = statements("surroundings")
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
MOST_EVENTS = 1000
"""Of the object's own events, the newest: what happened about these is shown."""
MOST_NEIGHBOURS = 300
"""Of the others, those met last: a busy network has thousands of ports."""


async def find_surroundings(
    database: Database, which: TimelineFilter, within: timedelta
) -> TimelineFilter:
    """Return `which`, which names an object by kind and id, with what lies around the object."""
    assert which.kind is not None, "the filter names an object"
    assert which.id is not None, "by kind and id"
    ref = f"{which.kind}/{which.id}"
    own = await database.fetch(_SQL["own"], ref, which.cloud, which.since, which.until, MOST_EVENTS)
    links = Links(database)
    neighbours = dict.fromkeys(other for row in own for other in row["refs"])
    for cloud in sorted({row["cloud"] for row in own}):
        for linked in await links.around(ResourceRef(cloud, which.kind, which.id)):
            neighbours[f"{linked.kind}/{linked.id}"] = None
    neighbours.pop(ref, None)
    windows = merged((row["time"] for row in own), within)
    around = Surroundings(tuple(neighbours)[:MOST_NEIGHBOURS], windows)
    if not windows:
        return replace(which, around=around)
    first = windows[0][0]
    since = first if which.since is None else max(first, which.since)
    return replace(which, around=around, since=since)


def merged(times: Iterable[datetime], within: timedelta) -> tuple[tuple[datetime, datetime], ...]:
    """Return the windows from `within` before to after each time, in order, none touching."""
    windows: list[tuple[datetime, datetime]] = []
    for time in sorted(times):
        begin, end = _moved(time, -within), _moved(time, within)
        if windows and begin <= windows[-1][1]:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((begin, end))
    return tuple(windows)


def _moved(time: datetime, by: timedelta) -> datetime:
    """Return the moment that far from `time`, the first or last of all where there is none."""
    try:
        return time + by
    except OverflowError:
        return _FIRST if by < timedelta() else _LAST
