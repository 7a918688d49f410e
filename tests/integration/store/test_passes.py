"""Full passes: asked for once, run by one copy at a time, begun anew when it dies."""

import asyncio
from datetime import timedelta
from uuid import UUID

from shared.store.database import Database
from shared.store.passes import FullPass, FullPasses, PassFigures, PassState
from tests.support.events import NOON

LEASE = timedelta(seconds=60)
FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
FIGURES = PassFigures(pages=2, seen=150, created=3, changed=4, vanished=5)


async def ask(passes: FullPasses, pass_id: UUID, kind: str = "port", seconds: int = 0) -> UUID:
    now = NOON + timedelta(seconds=seconds)
    return await passes.ask("prod", kind, pass_id=pass_id, asked_by="start", now=now)


async def claim(passes: FullPasses, seconds: float, worker: str = "me") -> FullPass | None:
    now = NOON + timedelta(seconds=seconds)
    return await passes.claim(cloud="prod", worker=worker, now=now, lease=LEASE)


async def claimed(passes: FullPasses, seconds: float, worker: str = "me") -> FullPass:
    found = await claim(passes, seconds, worker)
    assert found is not None
    return found


async def test_asking_while_one_waits_is_the_same_pass(database: Database) -> None:
    passes = FullPasses(database)

    assert await ask(passes, FIRST) == FIRST
    assert await ask(passes, SECOND) == FIRST


async def test_a_pass_is_claimed_once_and_the_oldest_first(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, SECOND, "network", seconds=1)
    await ask(passes, FIRST, "port", seconds=0)

    assert [(await claimed(passes, 5)).id, (await claimed(passes, 5)).id] == [FIRST, SECOND]
    assert await claim(passes, 5) is None


async def test_copies_that_claim_at_once_get_different_passes(database: Database) -> None:
    passes = FullPasses(database)
    for number in range(4):
        await ask(passes, UUID(int=number), f"kind-{number}")

    async with asyncio.TaskGroup() as group:
        copies = [group.create_task(claim(passes, 1, f"copy-{number}")) for number in range(4)]
    ids = [found.id for copy in copies if (found := copy.result())]

    assert len(ids) == len(set(ids))


async def test_one_pass_of_a_kind_runs_while_the_next_waits(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    running = await claimed(passes, 1)
    assert await ask(passes, SECOND, seconds=2) == SECOND

    assert await claim(passes, 3) is None
    await passes.finish(running, FIGURES, now=NOON + timedelta(seconds=4))

    assert (await claimed(passes, 5)).id == SECOND


async def test_the_figures_of_a_finished_pass_stay(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    running = await claimed(passes, 1)

    assert await passes.progress(running, PassFigures(pages=1), now=NOON, lease=LEASE)
    assert await passes.finish(running, FIGURES, now=NOON + timedelta(seconds=9))

    [latest] = await passes.latest()
    assert (latest.state, latest.figures, latest.error) == (PassState.DONE, FIGURES, None)
    assert latest.started_at == NOON + timedelta(seconds=1)
    assert latest.finished_at == NOON + timedelta(seconds=9)


async def test_a_failed_pass_keeps_its_reason(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)

    await passes.finish(await claimed(passes, 1), PassFigures(), now=NOON, error="403 from nova")

    [latest] = await passes.latest()
    assert (latest.state, latest.error) == (PassState.FAILED, "403 from nova")


async def test_the_pass_of_a_dead_copy_is_begun_anew_by_another(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    lost = await claimed(passes, 0, "dead")
    await passes.progress(lost, FIGURES, now=NOON + timedelta(seconds=30), lease=LEASE)

    assert await claim(passes, 89.9) is None
    again = await claimed(passes, 90)

    assert (again.id, again.figures) == (FIRST, PassFigures())
    assert not await passes.progress(lost, FIGURES, now=NOON, lease=LEASE)
    assert not await passes.finish(lost, FIGURES, now=NOON)


async def test_the_latest_pass_of_each_kind_is_told_and_survives_purging(
    database: Database,
) -> None:
    passes = FullPasses(database)
    for pass_id, seconds in ((FIRST, 0), (SECOND, 10), (THIRD, 20)):
        await ask(passes, pass_id, seconds=seconds)
        now = NOON + timedelta(seconds=seconds + 2)
        await passes.finish(await claimed(passes, seconds + 1), FIGURES, now=now)

    assert await passes.purge(NOON + timedelta(days=1)) == 2
    assert [found.id for found in await passes.latest()] == [THIRD]
