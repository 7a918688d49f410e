"""Pages of lists: the same outcome as writing each object, at the cost of what is new."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Unstorable
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory, WriteResult
from shared.store.listed import ListedPages
from tests.support.events import NOON

PASS = Cause(CauseKind.FULL_PASS, "pass-1")
EVENT = Cause(CauseKind.EVENT, "event-1")


def port(id_: str) -> ResourceRef:
    return ResourceRef("prod", "port", id_)


def seen(id_: str, seconds: float = 0, *, revision: int | None = None, **fields: Any) -> Snapshot:
    at = NOON + timedelta(seconds=seconds)
    return Snapshot(port(id_), "web", "project-1", "ACTIVE", {"id": id_, **fields}, at, revision)


async def test_a_first_page_creates_all_with_their_changes(database: Database) -> None:
    page = [seen(name, mtu=1500) for name in "ba"]

    assert await ListedPages(database).write(page, PASS) == WriteResult(created=2)

    inventory = Inventory(database)
    assert [row.ref.id for row in await inventory.find("port")] == ["a", "b"]
    [change] = await inventory.changes(port("a"))
    assert (change.kind, change.at, change.cause) == (ChangeKind.CREATED, NOON, PASS)
    row = await inventory.get(port("a"))
    assert row is not None
    assert (row.object, row.observed_at, row.seen_at) == (page[1].object, NOON, NOON)


async def test_a_page_of_the_same_moves_the_times_only(database: Database) -> None:
    inventory, pages = Inventory(database), ListedPages(database)
    await pages.write([seen("a", mtu=1500)], PASS)
    await inventory.write([seen("b", mtu=1500)], EVENT)
    rewritten = "select xmin::text from resources where object is not null"

    again = [seen("a", 9, mtu=1500), seen("b", 9, mtu=1500)]
    assert await pages.write(again, PASS) == WriteResult(unchanged=2)

    assert len(await database.fetch(rewritten)) == 2
    assert await inventory.unseen("prod", "port", before=again[0].observed_at, most=9) == []
    assert len(await inventory.changes(port("a"))) == 1


async def test_what_a_page_shows_differently_is_a_change(database: Database) -> None:
    pages = ListedPages(database)
    await pages.write([seen("a", mtu=1500), seen("b", mtu=1500)], PASS)

    result = await pages.write([seen("a", 9, mtu=9000), seen("b", 9), seen("c", 9)], PASS)

    assert result == WriteResult(created=1, updated=2)
    changes = await Inventory(database).changes(port("a"))
    assert [(item.field, item.old, item.new) for item in changes[1:]] == [("mtu", 1500, 9000)]


async def test_a_change_of_name_alone_is_noticed(database: Database) -> None:
    """The columns are made of the object, and a later version may make them otherwise."""
    pages = ListedPages(database)
    first = seen("a")
    await pages.write([first], PASS)
    renamed = Snapshot(first.ref, "db", "project-1", "ACTIVE", first.object, first.observed_at)

    await pages.write([renamed], PASS)

    row = await Inventory(database).get(port("a"))
    assert row is not None
    assert row.name == "db"


async def test_what_an_event_did_after_the_page_was_read_stays(database: Database) -> None:
    inventory, pages = Inventory(database), ListedPages(database)
    await inventory.write([seen("a", 0, mtu=1), seen("b", 0, mtu=1)], EVENT)
    await inventory.write([seen("a", 5, mtu=2)], EVENT)
    await inventory.delete({port("b"): NOON + timedelta(seconds=5)}, EVENT)
    await inventory.delete({port("never-seen"): NOON + timedelta(seconds=5)}, EVENT)

    page = [seen("a", 4, mtu=1), seen("b", 4, mtu=1), seen("never-seen", 4)]
    assert await pages.write(page, PASS) == WriteResult(stale=3)

    [row] = await inventory.find("port")
    assert (row.ref.id, row.object) == ("a", {"id": "a", "mtu": 2})


async def test_a_page_read_before_the_same_was_seen_is_stale(database: Database) -> None:
    pages = ListedPages(database)
    await pages.write([seen("a", 5)], PASS)

    assert await pages.write([seen("a", 4)], PASS) == WriteResult(stale=1)


async def test_a_row_without_a_digest_gets_one_with_its_next_page(database: Database) -> None:
    pages = ListedPages(database)
    await pages.write([seen("a", mtu=1)], PASS)
    await database.execute("update resources set digest = null")

    assert await pages.write([seen("a", 1, mtu=1)], PASS) == WriteResult(unchanged=1)

    assert await database.fetch_value("select digest is not null from resources")


async def test_an_object_that_is_on_a_page_twice_is_created_once(database: Database) -> None:
    pages = ListedPages(database)

    result = await pages.write([seen("a", mtu=1), seen("a", mtu=2)], PASS)

    assert result.created == 1
    row = await Inventory(database).get(port("a"))
    assert row is not None
    assert row.object == {"id": "a", "mtu": 2}


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", 1 << 70])
async def test_a_page_with_a_value_postgresql_cannot_hold_writes_nothing_new(
    database: Database, bad: object
) -> None:
    pages = ListedPages(database)

    with pytest.raises(Unstorable):
        await pages.write([seen("a"), seen("b", description=bad)], PASS)

    assert await Inventory(database).find("port") == []


async def test_an_empty_page_is_no_error(database: Database) -> None:
    assert await ListedPages(database).write([], PASS) == WriteResult()
