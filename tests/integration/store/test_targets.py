"""The queue of targets: merging, leases, and what happens when copies die."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.targets import ClaimedTarget, TargetQueue, Waiting
from shared.target import BY_ID, Target
from tests.support.events import NOON

WINDOW = timedelta(seconds=1)
LEASE = timedelta(seconds=60)
LATER = NOON + timedelta(minutes=10)


def port(key: str = "port-1", **different: str) -> Target:
    return replace(Target("prod", "port", BY_ID, key, "event-1", "subject of port"), **different)


async def claim(
    queue: TargetQueue, seconds: float, *, worker: str = "me", most: int = 100
) -> list[ClaimedTarget]:
    now = NOON + timedelta(seconds=seconds)
    return await queue.claim(cloud="prod", worker=worker, most=most, now=now, lease=LEASE)


def keys(claimed: list[ClaimedTarget]) -> list[str]:
    return [item.target.key for item in claimed]


async def test_many_asks_are_one_target_with_the_latest_cause(database: Database) -> None:
    queue = TargetQueue(database)
    asks = [port(cause=f"event-{number}") for number in range(1000)]

    await queue.ask(asks[:500], now=NOON, merge_window=WINDOW)
    await queue.ask(asks[500:], now=NOON, merge_window=WINDOW)

    claimed = await claim(queue, 1)
    assert [item.target for item in claimed] == [port(cause="event-999")]


async def test_a_target_falls_due_one_window_after_its_first_ask(database: Database) -> None:
    queue = TargetQueue(database)
    for tenths in range(10):
        now = NOON + timedelta(seconds=tenths / 10)
        await queue.ask([port()], now=now, merge_window=WINDOW)

    assert await claim(queue, 0.99) == []
    assert keys(await claim(queue, 1)) == ["port-1"]


async def test_a_shorter_window_brings_a_target_forward(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=timedelta(minutes=1))
    await queue.ask([port()], now=NOON, merge_window=timedelta(0))

    assert keys(await claim(queue, 0)) == ["port-1"]


async def test_what_is_ready_goes_along_with_what_is_due(database: Database) -> None:
    queue = TargetQueue(database)
    for seconds, key in ((0, "port-1"), (1, "port-2"), (1.5, "port-3")):
        now = NOON + timedelta(seconds=seconds)
        await queue.ask([port(key)], now=now, merge_window=WINDOW, batch_window=WINDOW)

    assert await claim(queue, 1.9) == []
    assert keys(await claim(queue, 2)) == ["port-1", "port-2"]
    assert await claim(queue, 2.5) == []
    assert keys(await claim(queue, 3.5)) == ["port-3"]


async def test_what_is_held_is_not_due_before_whoever_asks(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW, hold=timedelta(seconds=5))
    await queue.ask([port()], now=NOON, merge_window=WINDOW)

    assert await claim(queue, 4.9) == []
    (claimed,) = await claim(queue, 5)
    await queue.finish([claimed])
    await queue.ask([port()], now=LATER, merge_window=WINDOW)
    assert len(await claim(queue, 601)) == 1


async def test_some_kinds_can_be_claimed_first(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    await queue.ask([port("vm", kind="server")], now=NOON, merge_window=WINDOW * 2)

    claimed = await queue.claim(
        cloud="prod", worker="me", most=10, now=LATER, lease=LEASE, kinds=["server"]
    )

    assert keys(claimed) == ["vm"]


async def test_what_nobody_was_asked_for_keeps_its_budget(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    claimed = await claim(queue, 1)

    await queue.retry(claimed, due_at=LATER, error="the circuit is open", tried=False)

    (again,) = await claim(queue, 600)
    assert again.attempts == 0


async def test_a_claim_is_of_one_kind_and_filter_the_oldest_first(database: Database) -> None:
    queue = TargetQueue(database)
    others = [port("port-2"), port("net-1", kind="network"), port("server-1", by="device_id")]
    await queue.ask([port("port-3")], now=NOON, merge_window=WINDOW)
    await queue.ask(others, now=NOON + timedelta(seconds=1), merge_window=WINDOW)
    await queue.ask([port("port-1")], now=NOON + timedelta(seconds=2), merge_window=WINDOW)

    groups = [keys(await claim(queue, 60, worker=str(number))) for number in range(4)]

    assert groups[0] == ["port-3", "port-2", "port-1"]
    assert sorted(groups[1] + groups[2]) == ["net-1", "server-1"]
    assert groups[3] == []


async def test_a_claim_takes_no_more_than_asked_for_and_only_of_its_cloud(
    database: Database,
) -> None:
    queue = TargetQueue(database)
    await queue.ask([port(cloud="test")], now=NOON, merge_window=WINDOW)
    await queue.ask([port(f"port-{n}") for n in range(5)], now=NOON, merge_window=WINDOW)

    assert len(await claim(queue, 1, most=3)) == 3
    assert len(await claim(queue, 1, most=3)) == 2


async def test_copies_that_claim_at_once_share_the_work(database: Database) -> None:
    queue = TargetQueue(database)
    wanted = [f"port-{number:03}" for number in range(200)]
    await queue.ask([port(key) for key in wanted], now=NOON, merge_window=WINDOW)

    async def work(worker: str) -> list[str]:
        got: list[str] = []
        while len(mine := keys(await claim(queue, 1, worker=worker, most=7))):
            got += mine
        return got

    async with asyncio.TaskGroup() as group:
        copies = [group.create_task(work(f"copy-{number}")) for number in range(4)]

    assert sorted(key for copy in copies for key in copy.result()) == wanted


async def test_a_finished_target_is_gone(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)

    await queue.finish(await claim(queue, 1))

    assert await queue.waiting() == []


async def test_what_is_asked_for_while_being_read_is_read_again_after_its_window(
    database: Database,
) -> None:
    queue = TargetQueue(database)
    await queue.ask([port(), port("port-2")], now=NOON, merge_window=WINDOW)
    claimed = await claim(queue, 1)
    for seconds in (2, 2.5):
        now = NOON + timedelta(seconds=seconds)
        await queue.ask([port(cause="event-2")], now=now, merge_window=WINDOW)

    assert await claim(queue, 30) == []
    await queue.finish(claimed)

    assert await claim(queue, 2.9) == []
    again = await claim(queue, 3)
    assert [item.target for item in again] == [port(cause="event-2")]
    assert again[0].asked_at == NOON + timedelta(seconds=2)


async def test_the_targets_of_a_dead_copy_fall_due_when_its_lease_ends(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    await claim(queue, 1, worker="dead")

    assert await claim(queue, 60.9) == []
    assert keys(await claim(queue, 61)) == ["port-1"]


async def test_a_copy_that_lost_its_claim_cannot_answer_it(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    lost = await claim(queue, 1, worker="slow")
    held = await claim(queue, 61, worker="quick")

    await queue.finish(lost)
    await queue.retry(lost, due_at=NOON, error="late")
    assert await queue.renew(lost, now=LATER, lease=LEASE) == 0

    assert [(item.count, item.claimed, item.failing) for item in await queue.waiting()] == [
        (1, 1, 0)
    ]
    assert await queue.renew(held, now=LATER, lease=LEASE) == 1


async def test_a_renewed_lease_keeps_others_away(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    claimed = await claim(queue, 1)

    await queue.renew(claimed, now=NOON + timedelta(seconds=50), lease=LEASE)

    assert await claim(queue, 109.9) == []
    assert keys(await claim(queue, 110)) == ["port-1"]


async def test_what_failed_waits_whoever_asks_meanwhile(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port()], now=NOON, merge_window=WINDOW)
    await queue.retry(
        await claim(queue, 1), due_at=NOON + timedelta(seconds=30), error="503 from network"
    )

    await queue.ask([port()], now=NOON + timedelta(seconds=2), merge_window=WINDOW)

    assert await claim(queue, 29.9) == []
    assert [item.attempts for item in await claim(queue, 30)] == [1]


async def test_what_is_given_up_is_gone_unless_asked_for_again(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port(), port("port-2")], now=NOON, merge_window=WINDOW)
    claimed = await claim(queue, 1)
    await queue.ask([port("port-2")], now=NOON + timedelta(seconds=2), merge_window=WINDOW)

    await queue.give_up(claimed)

    assert keys(await claim(queue, 3)) == ["port-2"]


async def test_what_waits_is_told_by_cloud_and_kind(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port("port-2")], now=NOON, merge_window=WINDOW)
    await claim(queue, 1)
    await queue.ask([port(), port(cloud="test")], now=LATER, merge_window=WINDOW)

    assert await queue.waiting() == [
        Waiting("prod", "port", count=2, claimed=1, failing=0, oldest=NOON),
        Waiting("test", "port", count=1, claimed=0, failing=0, oldest=LATER),
    ]


async def test_nothing_to_do_is_no_error(database: Database) -> None:
    queue = TargetQueue(database)

    await queue.ask([], now=NOON, merge_window=WINDOW)
    await queue.finish([])
    await queue.retry([], due_at=NOON, error="")

    assert await claim(queue, 1) == []


async def test_asking_and_answering_at_once_loses_nothing(database: Database) -> None:
    queue = TargetQueue(database)
    names = [f"port-{number}" for number in range(50)]
    asking = True

    async def ask() -> None:
        nonlocal asking
        for step in range(40):
            order = names if step % 2 else names[::-1]
            now = NOON + timedelta(seconds=step)
            await queue.ask([port(key) for key in order], now=now, merge_window=WINDOW)
        asking = False

    async def answer(worker: str) -> None:
        while asking or await queue.waiting():
            await queue.finish(await claim(queue, 1000, worker=worker, most=20))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(ask())
        group.create_task(answer("one"))
        group.create_task(answer("two"))

    assert await queue.waiting() == []


async def test_targets_of_what_is_gone_are_dropped_unless_somebody_is_at_them(
    database: Database,
) -> None:
    queue = TargetQueue(database)
    asked = [port("waiting"), port("claimed"), port("other"), port("waiting", by="device_id")]
    await queue.ask([asked[1]], now=NOON, merge_window=timedelta())
    (held,) = await claim(queue, 0)
    await queue.ask(asked, now=NOON, merge_window=WINDOW)

    gone = [ResourceRef("prod", "port", key) for key in ("waiting", "claimed", "never asked")]
    assert await queue.drop(gone) == 1

    left = {(item.target.by, item.target.key) for item in await claim(queue, 30)}
    left |= {(item.target.by, item.target.key) for item in await claim(queue, 30)}
    assert left == {(BY_ID, "other"), ("device_id", "waiting")}
    await queue.finish([held])


async def test_a_hold_is_never_prolonged_and_can_be_ended(database: Database) -> None:
    queue = TargetQueue(database)
    five = timedelta(seconds=5)
    await queue.ask([port(), port("port-2")], now=NOON, merge_window=WINDOW)
    for seconds in range(5):
        now = NOON + timedelta(seconds=seconds / 10)
        await queue.ask([port(), port("port-2")], now=now, merge_window=WINDOW, hold=five)
    now = NOON + timedelta(seconds=2)
    await queue.ask([port("port-2")], now=now, merge_window=WINDOW, release=True)

    assert keys(await claim(queue, 4.9)) == ["port-2"]
    assert keys(await claim(queue, 5)) == ["port-1"]


async def test_what_a_read_found_anyway_answers_asks_from_before_it(database: Database) -> None:
    queue = TargetQueue(database)
    await queue.ask([port(), port("port-2"), port("port-3")], now=NOON, merge_window=WINDOW)
    await queue.ask([port("port-2")], now=NOON + timedelta(seconds=3), merge_window=WINDOW)
    found = {
        ResourceRef("prod", "port", key): NOON + timedelta(seconds=2)
        for key in ("port-1", "port-2", "stranger")
    }

    claimed = await queue.claim_found(found, cloud="prod", worker="me", now=NOON, lease=LEASE)

    assert keys(claimed) == ["port-1"]
    await queue.finish(claimed)
    assert sorted(keys(await claim(queue, 600))) == ["port-2", "port-3"]
