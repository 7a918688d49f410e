"""What a full pass corrected is read back from the changes that name it."""

from datetime import timedelta
from uuid import UUID

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.database import Database
from shared.store.drift import Corrected, Correction, Drift
from shared.store.inventory import Inventory
from shared.store.timeline import Timeline
from tests.support.events import NOON, event

ID = UUID(int=7)
PASS = Cause(CauseKind.FULL_PASS, str(ID))
EVENT = Cause(CauseKind.EVENT, "event-1")
UNDER_WAY = timedelta(seconds=5)


def port(id_: str) -> ResourceRef:
    return ResourceRef("prod", "port", id_)


async def write(database: Database, id_: str, seconds: float, cause: Cause, **object_: str) -> None:
    at = NOON + timedelta(seconds=seconds)
    snapshot = Snapshot(port(id_), id_, None, None, {"id": id_, **object_}, at)
    await Inventory(database).write([snapshot], cause)


async def corrections(database: Database) -> list[Corrected]:
    found = Drift(database).corrections(ID, fields=["owner"], under_way=UNDER_WAY)
    return [one async for one in found]


async def test_corrections_come_object_by_object_with_what_was_asked_of_it(
    database: Database,
) -> None:
    await write(database, "b", 0, EVENT, status="ACTIVE", owner="me")
    await write(database, "b", 10, PASS, status="DOWN", owner="you")
    await write(database, "a", 11, PASS)
    await write(database, "c", 12, EVENT)

    found = await corrections(database)

    assert [(one.ref.id, one.change, one.field) for one in found] == [
        ("a", ChangeKind.CREATED, None),
        ("b", ChangeKind.UPDATED, "owner"),
        ("b", ChangeKind.UPDATED, "status"),
    ]
    assert (found[2].old, found[2].new, found[2].object) == (
        '"ACTIVE"',
        '"DOWN"',
        {"owner": "you"},
    )
    assert await Drift(database).of_pass(ID) == [
        Correction(ChangeKind.CREATED, None, 1),
        Correction(ChangeKind.UPDATED, "owner", 1),
        Correction(ChangeKind.UPDATED, "status", 1),
    ]


async def test_an_event_that_came_as_the_pass_read_was_under_way(database: Database) -> None:
    for id_, recorded in (("early", -60), ("close", -3), ("late", 30)):
        await write(database, id_, 0, PASS)
        told = event(id_, time=NOON - timedelta(seconds=61), subjects=(port(id_),))
        await Timeline(database).append([told], recorded_at=NOON + timedelta(seconds=recorded))
    after = event("after", time=NOON + timedelta(minutes=9), subjects=(port("early"),))
    await Timeline(database).append([after], recorded_at=NOON + timedelta(minutes=9))

    found = {one.ref.id: one.under_way for one in await corrections(database)}

    assert found == {"early": False, "close": True, "late": True}
