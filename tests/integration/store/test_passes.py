"""Full passes: asked for once, run by one copy at a time, gone on with when it dies."""

import asyncio
from datetime import timedelta
from uuid import UUID

from shared.store.database import Database
from shared.store.passes import FullPass, FullPasses, PassFigures, PassState, Place
from tests.support.events import NOON
from tests.support.waiting import eventually

LEASE = timedelta(seconds=60)
FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
PLACE = Place(NOON, 1, ("id-9", "id-8"))
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

    assert await passes.progress(running, PassFigures(pages=1), PLACE, now=NOON, lease=LEASE)
    assert await passes.finish(running, FIGURES, now=NOON + timedelta(seconds=9))

    [latest] = await passes.latest()
    assert (latest.state, latest.figures, latest.error) == (PassState.DONE, FIGURES, None)
    assert latest.started_at == NOON + timedelta(seconds=1)
    assert latest.finished_at == NOON + timedelta(seconds=9)


async def test_a_failed_pass_keeps_its_reason(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)

    await passes.finish(
        await claimed(passes, 1),
        PassFigures(),
        now=NOON,
        state=PassState.FAILED,
        error="403 from nova",
    )

    [latest] = await passes.latest()
    assert (latest.state, latest.error) == (PassState.FAILED, "403 from nova")


async def test_the_pass_of_a_dead_copy_is_gone_on_with_by_another(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    lost = await claimed(passes, 0, "dead")
    await passes.progress(lost, FIGURES, PLACE, now=NOON + timedelta(seconds=30), lease=LEASE)

    assert await claim(passes, 89.9) is None
    again = await claimed(passes, 90)

    assert (again.id, again.figures, again.place) == (FIRST, FIGURES, PLACE)
    assert not await passes.progress(lost, FIGURES, PLACE, now=NOON, lease=LEASE)
    assert not await passes.finish(lost, FIGURES, now=NOON)


async def failed_midway(passes: FullPasses) -> FullPass:
    await ask(passes, FIRST)
    running = await claimed(passes, 1)
    await passes.progress(running, FIGURES, PLACE, now=NOON, lease=LEASE)
    ended = NOON + timedelta(seconds=5)
    await passes.finish(running, FIGURES, now=ended, state=PassState.FAILED, error="500")
    [failed] = await passes.latest()
    return failed


async def test_a_failed_pass_is_handed_out_again_where_it_failed(database: Database) -> None:
    passes = FullPasses(database)
    failed = await failed_midway(passes)

    assert await passes.go_on(failed)
    assert not await passes.go_on(failed)

    again = await claimed(passes, 10)
    assert (again.id, again.figures, again.place) == (FIRST, FIGURES, PLACE)
    assert (again.failed_at, again.error) == (failed.finished_at, None)


async def test_what_is_asked_for_after_a_failure_begins_at_the_beginning(
    database: Database,
) -> None:
    """It may be about what is on the pages that the failed pass has behind it."""
    passes = FullPasses(database)
    failed = await failed_midway(passes)
    await ask(passes, SECOND, seconds=6)
    assert not await passes.go_on(failed)
    second = await claimed(passes, 7)
    assert (second.id, second.figures, second.failed_at) == (SECOND, PassFigures(), None)
    await passes.finish(second, FIGURES, now=NOON + timedelta(seconds=8))
    assert not await passes.go_on(failed)


async def test_what_is_asked_for_at_the_same_moment_wins(database: Database) -> None:
    passes = FullPasses(database)
    failed = await failed_midway(passes)

    async def it_waits_for_the_other() -> bool:
        return bool(await database.fetch_value("select count(*) from pg_locks where not granted"))

    async with database.transaction() as connection:
        await connection.execute(
            "insert into passes (id, cloud, kind, asked_by, state, asked_at)"
            " values ($1, 'prod', 'port', 'gap', 'waiting', $2)",
            SECOND,
            NOON + timedelta(seconds=6),
        )
        going_on = asyncio.create_task(passes.go_on(failed))
        await eventually(it_waits_for_the_other, what="it waits for the other")
    assert not await going_on
    assert (await claimed(passes, 10)).id == SECOND


async def test_what_is_asked_for_while_one_waits_to_go_on_has_it_begin_anew(
    database: Database,
) -> None:
    passes = FullPasses(database)
    await passes.go_on(await failed_midway(passes))

    assert await ask(passes, SECOND, seconds=6) == FIRST

    again = await claimed(passes, 10)
    assert (again.id, again.figures) == (FIRST, PassFigures())
    assert again.place == Place(NOON + timedelta(seconds=10))


async def test_a_copy_that_stops_leaves_its_pass_to_others_at_once(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    await claimed(passes, 0)

    await passes.release("me", now=NOON + timedelta(seconds=1))

    assert (await claimed(passes, 1, "other")).id == FIRST


async def test_a_lease_is_extended_while_it_is_ours(database: Database) -> None:
    passes = FullPasses(database)
    await ask(passes, FIRST)
    mine = await claimed(passes, 0)

    assert await passes.extend(mine, until=NOON + timedelta(seconds=90))
    assert await claim(passes, 89) is None
    await claimed(passes, 90, "other")
    assert not await passes.extend(mine, until=NOON + timedelta(seconds=200))


async def test_the_first_of_a_kind_is_that_before_which_none_was_done(database: Database) -> None:
    passes = FullPasses(database)
    failures = (PassState.FAILED, PassState.ABSENT, PassState.DONE, PassState.DONE)
    firsts = []
    for number, state in enumerate(failures):
        await passes.ask("prod", "port", pass_id=UUID(int=number), asked_by="gap", now=NOON)
        running = await claimed(passes, number)
        firsts.append(running.first)
        await passes.finish(running, FIGURES, now=NOON, state=state)

    assert firsts == [True, True, True, False]
    assert [found.state for found in await passes.some([UUID(int=0), UUID(int=3)])] == [
        PassState.FAILED,
        PassState.DONE,
    ]


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
