"""The inventory in the database: the rule of `observation`, locked, written and read back."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Unstorable
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory, KindCount, WriteResult
from shared.store.observation import bury, observe
from shared.store.resource_row import ResourceRow
from tests.support.events import NOON

CAUSE = Cause(CauseKind.EVENT, "event-1")
PASS = Cause(CauseKind.FULL_PASS, "pass-1")


def port(id_: str = "port-1", cloud: str = "prod") -> ResourceRef:
    return ResourceRef(cloud, "port", id_)


def seen(
    seconds: float = 0,
    ref: ResourceRef | None = None,
    *,
    revision: int | None = None,
    **fields: Any,
) -> Snapshot:
    at = NOON + timedelta(seconds=seconds)
    return Snapshot(ref or port(), "web", "project-1", "ACTIVE", fields, at, revision)


async def test_a_snapshot_comes_back_as_it_went_in(database: Database) -> None:
    inventory = Inventory(database)
    snapshot = seen(revision=3, mtu=1500, tags=["ä"], binding={"host": None})

    assert await inventory.write([snapshot], CAUSE) == WriteResult(created=1)

    assert await inventory.get(port()) == ResourceRow(
        port(),
        name="web",
        project="project-1",
        status="ACTIVE",
        object=snapshot.object,
        revision=3,
        observed_at=NOON,
        seen_at=NOON,
    )


async def test_history_tells_each_difference_and_its_cause(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0, mtu=1500)], {port(): CAUSE})
    await inventory.write([seen(1, mtu=9000, mac="aa")], PASS)
    await inventory.delete({port(): NOON + timedelta(seconds=2)}, CAUSE)

    changes = await inventory.changes(port())

    assert [(item.kind, item.field, item.old, item.new, item.cause) for item in changes] == [
        (ChangeKind.CREATED, None, None, None, CAUSE),
        (ChangeKind.UPDATED, "mac", None, "aa", PASS),
        (ChangeKind.UPDATED, "mtu", 1500, 9000, PASS),
        (ChangeKind.DELETED, None, None, None, CAUSE),
    ]
    assert await inventory.changes(port(), most=1) == changes[-1:]


async def test_a_batch_counts_what_it_did(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(5, port(name), mtu=1) for name in "abc"], CAUSE)

    result = await inventory.write(
        [
            seen(6, port("a"), mtu=2),
            seen(6, port("b"), mtu=1),
            seen(4, port("c"), mtu=0),
            seen(6, port("d")),
        ],
        CAUSE,
    )

    assert result == WriteResult(created=1, updated=1, unchanged=1, stale=1)


async def test_one_batch_may_hold_an_object_several_times(database: Database) -> None:
    inventory = Inventory(database)

    result = await inventory.write([seen(0, mtu=1), seen(2, mtu=3), seen(1, mtu=2)], CAUSE)

    assert result == WriteResult(created=1, updated=1, stale=1)
    row = await inventory.get(port())
    assert row is not None
    assert row.object == {"mtu": 3}


async def test_unchanged_rows_note_when_they_were_seen(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0, mtu=1), seen(0, port("port-2"))], CAUSE)
    await inventory.write([seen(9, mtu=1)], PASS)

    suspects = await inventory.unseen("prod", "port", before=NOON + timedelta(seconds=9), most=10)

    assert suspects == [port("port-2")]


async def test_marking_as_seen_clears_a_suspicion_but_wakes_no_dead(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0), seen(0, port("port-2"))], CAUSE)
    await inventory.delete({port("port-2"): NOON}, CAUSE)

    later = NOON + timedelta(seconds=9)
    assert await inventory.mark_seen([port(), port("port-2"), port("port-3")], at=later) == 1

    assert await inventory.unseen("prod", "port", before=later, most=10) == []
    assert [row.ref for row in await inventory.find("port")] == [port()]


async def test_a_tombstone_keeps_out_what_was_read_before_it(database: Database) -> None:
    inventory = Inventory(database)
    assert len(await inventory.delete({port(): NOON}, CAUSE)) == 0

    assert await inventory.write([seen(-1, mtu=1)], PASS) == WriteResult(stale=1)
    assert await inventory.write([seen(0, mtu=1)], PASS) == WriteResult(stale=1)

    assert await inventory.find("port") == []
    assert await inventory.changes(port()) == []


async def test_a_read_after_the_tombstone_restores(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0)], CAUSE)
    assert len(await inventory.delete({port(): NOON + timedelta(seconds=1)}, CAUSE)) == 1

    assert await inventory.write([seen(2)], PASS) == WriteResult(updated=1)

    assert [change.kind for change in await inventory.changes(port())] == [
        ChangeKind.CREATED,
        ChangeKind.DELETED,
        ChangeKind.RESTORED,
    ]


async def test_writers_of_the_same_objects_create_each_once(database: Database) -> None:
    inventory = Inventory(database)
    names = [f"port-{number}" for number in range(40)]

    async def write(seed: int) -> WriteResult:
        mine = random.Random(seed).sample(names, len(names))
        return await inventory.write([seen(seed, port(name), mtu=seed) for name in mine], CAUSE)

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(seed)) for seed in range(5)]

    assert sum(writer.result().created for writer in writers) == 40
    rows = await inventory.find("port")
    assert [row.object for row in rows] == [{"mtu": 4}] * 40


async def test_concurrent_news_in_any_order_end_in_the_same_rows(database: Database) -> None:
    """The rule's order independence (see tests/properties) holds through locks and batches."""
    generator = random.Random(20261123)
    refs = [port(f"port-{number}") for number in range(8)]
    news: list[tuple[ResourceRef, int, bool]] = [
        (ref, step, generator.random() < 0.6) for ref in refs for step in range(8)
    ]
    expected = {}
    for ref in refs:
        row = ResourceRow(ref)
        for _, step, alive in sorted(item for item in news if item[0] == ref):
            at = NOON + timedelta(seconds=step)
            row = (
                observe(row, seen(step, ref, mtu=step), CAUSE) if alive else bury(row, at, CAUSE)
            ).row
        expected[ref] = row

    inventory = Inventory(database)

    async def deliver(batch: list[tuple[ResourceRef, int, bool]]) -> None:
        living = [seen(step, ref, mtu=step) for ref, step, alive in batch if alive]
        await inventory.write(living, CAUSE)
        for ref, step, alive in batch:
            if not alive:
                await inventory.delete({ref: NOON + timedelta(seconds=step)}, CAUSE)

    shuffled = generator.sample(news * 2, len(news) * 2)
    async with asyncio.TaskGroup() as group:
        for start in range(0, len(shuffled), 16):
            group.create_task(deliver(shuffled[start : start + 16]))

    assert {ref: await inventory.get(ref) for ref in refs} == expected


async def test_resources_page_by_cloud_and_id(database: Database) -> None:
    inventory = Inventory(database)
    refs = [port(name, cloud) for cloud in ("prod", "test") for name in "abc"]
    await inventory.write([seen(0, ref) for ref in refs], CAUSE)
    await inventory.write([seen(0, ResourceRef("prod", "network", "n"))], CAUSE)

    pages, after = [], None
    while page := await inventory.find("port", most=4, after=after):
        pages.append([row.ref for row in page])
        after = page[-1].ref

    assert pages == [refs[:4], refs[4:]]
    assert [row.ref for row in await inventory.find("port", cloud="test")] == refs[3:]


async def test_deleted_resources_show_when_asked_for(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0), seen(0, port("port-2"))], CAUSE)
    await inventory.delete({port(): NOON}, CAUSE)

    assert [row.ref for row in await inventory.find("port")] == [port("port-2")]
    assert len(await inventory.find("port", deleted=True)) == 2
    assert await inventory.counts() == [KindCount("prod", "port", living=1, deleted=1)]


async def test_purging_forgets_old_tombstones_and_old_history(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([seen(0), seen(0, port("port-2"))], CAUSE)
    await inventory.delete({port(): NOON}, CAUSE)
    await inventory.write([seen(99, port("port-2"), mtu=1)], CAUSE)

    assert await inventory.purge(NOON + timedelta(seconds=50)) == 4

    assert [row.ref for row in await inventory.find("port", deleted=True)] == [port("port-2")]
    assert len(await inventory.changes(port("port-2"))) == 1


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", 1 << 70])
async def test_a_value_postgresql_cannot_hold_is_refused_with_its_batch(
    database: Database, bad: object
) -> None:
    inventory = Inventory(database)

    with pytest.raises(Unstorable):
        await inventory.write([seen(0), seen(0, port("port-2"), description=bad)], CAUSE)

    assert await inventory.find("port") == []


async def test_nothing_to_write_is_no_error(database: Database) -> None:
    inventory = Inventory(database)

    assert await inventory.write([], CAUSE) == WriteResult()
    assert await inventory.delete({}, CAUSE) == {}
    assert await inventory.mark_seen([], at=NOON) == 0
