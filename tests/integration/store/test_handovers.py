"""Events on their way from a command to a bus within another process."""

import pytest

from shared.errors import BusUnavailable
from shared.store import handovers
from shared.store.database import Database
from shared.store.handovers import Handed, Handovers
from tests.support.events import NOON, ids, numbered


class Bus:
    """Takes what is handed over, when it works."""

    def __init__(self) -> None:
        self.taken: list[Handed] = []
        self.works = True

    async def __call__(self, handed: Handed) -> None:
        if not self.works:
            raise BusUnavailable("away")
        self.taken.append(handed)


async def test_events_are_handed_over_once_in_order_to_whom_they_are_for(
    database: Database,
) -> None:
    store, bus = Handovers(database), Bus()
    await store.put(numbered(3), None, now=NOON)
    await store.put(numbered(1, first=3), "refresher", now=NOON)

    assert await store.take(10, bus) == 4
    assert await store.take(10, bus) == 0
    assert [(each.group, ids(each.events)) for each in bus.taken] == [
        (None, ["event-0", "event-1", "event-2"]),
        ("refresher", ["event-3"]),
    ]


async def test_what_the_bus_does_not_take_is_there_again(database: Database) -> None:
    store, bus = Handovers(database), Bus()
    await store.put(numbered(2), None, now=NOON)
    bus.works = False
    with pytest.raises(BusUnavailable):
        await store.take(10, bus)
    bus.works = True

    assert await store.take(10, bus) == 2


async def test_too_many_waiting_are_refused_with_the_likely_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handovers, "MOST_WAITING", 2)
    store = Handovers(database)
    await store.put(numbered(2), None, now=NOON)

    with pytest.raises(Exception, match="is it running"):
        await store.put(numbered(1), None, now=NOON)
