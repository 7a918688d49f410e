"""How resources were, and what else changed around a moment."""

from datetime import datetime, timedelta
from typing import Any

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.history import History
from shared.store.inventory import Inventory
from shared.store.resource_filter import ResourceFilter
from tests.support.events import NOON

CAUSE = Cause(CauseKind.EVENT, "event-1")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def port(id_: str) -> ResourceRef:
    return ResourceRef("prod", "port", id_)


async def write(
    database: Database, seconds: float, id_: str, project: str = "p", **object_: Any
) -> None:
    seen = Snapshot(port(id_), id_, project, "ACTIVE", {"id": id_, **object_}, at(seconds))
    await Inventory(database).write([seen], CAUSE)


async def ids_at(database: Database, seconds: float) -> dict[str, object]:
    rows = await Inventory(database).find("port", deleted=True)
    then = await History(database).as_of(rows, at(seconds))
    return {row.ref.id: (row.object or {}).get("mtu") for row in then}


async def test_every_moment_has_its_own_inventory(database: Database) -> None:
    await write(database, 0, "a", mtu=1)
    await write(database, 10, "b", mtu=1)
    await write(database, 20, "a", mtu=2)
    await Inventory(database).delete({port("b"): at(30)}, CAUSE)
    await write(database, 40, "b", mtu=3)
    await Inventory(database).delete({port("never-seen"): at(30)}, CAUSE)

    assert await ids_at(database, -1) == {}
    assert await ids_at(database, 0) == {"a": 1}
    assert await ids_at(database, 15) == {"a": 1, "b": 1}
    assert await ids_at(database, 25) == {"a": 2, "b": 1}
    assert await ids_at(database, 35) == {"a": 2}
    assert await ids_at(database, 40) == {"a": 2, "b": 3}


async def test_the_history_begins_with_the_first_change(database: Database) -> None:
    assert await History(database).begins("prod") is None
    await write(database, 5, "a")
    await write(database, 9, "b")
    assert await History(database).begins("prod") == at(5)
    assert await History(database).begins("other") is None


async def test_around_are_the_linked_and_those_of_the_project(database: Database) -> None:
    for seconds, id_, project in ((0, "a", "p"), (5, "b", "p"), (6, "c", "q"), (60, "d", "p")):
        await write(database, seconds, id_, project)

    near = await History(database).around(
        "prod", at(-9), at(9), [port("a"), port("c")], project="p", most=10
    )

    assert [(one.change.ref.id, one.name, one.linked) for one in near] == [
        ("a", "a", True),
        ("b", "b", False),
        ("c", "c", True),
    ]


async def test_resources_are_found_by_project_status_and_name(database: Database) -> None:
    for number, id_ in enumerate(("web-1", "web_2", "db-1")):
        await write(database, number, id_, "p" if id_ != "db-1" else "q")

    async def found(**which: str) -> list[str]:
        wanted = ResourceFilter(**which)
        rows = await Inventory(database).find("port", which=wanted)
        everything = await Inventory(database).find("port")
        assert [row for row in everything if wanted.wants(row)] == rows, "one rule for both"
        return [row.ref.id for row in rows]

    assert await found(project="p") == ["web-1", "web_2"]
    assert await found(status="active") == ["db-1", "web-1", "web_2"]
    assert await found(status="DOWN") == []
    assert await found(name="web*") == ["web-1", "web_2"]
    assert await found(name="web_*") == ["web_2"]
    assert await found(name="*-1", project="q") == ["db-1"]
