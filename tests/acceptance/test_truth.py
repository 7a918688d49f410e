"""The inventory is true: whatever was lost, doubled, late or out of order, whoever died.

A simulated cloud lives at random and loses two notifications of a hundred on their way; the two
copies of the refresher are killed again and again. What is wrong before the next full pass is what
lost notifications were about, or what OpenStack tells nobody, and nothing else; the pass, in which
they are killed once more, mends it, and reports as drift just that. Every kind is compared, and the
links and the history with the rows. `make truth` runs it with 50 000 notifications.
"""

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any, get_args
from uuid import UUID

import pytest

from services.refresher.drift import Why
from services.refresher.resources import ALL
from services.simulator.settings import Service as Offered
from shared.snapshot import ChangeKind
from shared.store.inventory import Inventory
from shared.store.passes import FullPasses, PassState
from tests.benchmarks.rig import CLOUD, Rig, rig
from tests.support.bookkeeping import history_amiss, links_amiss
from tests.support.deployment import Service
from tests.support.truth import LostNews, Wrong, wrong_rows
from tests.support.waiting import eventually

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(1800)]

NOTIFICATIONS = int(os.environ.get("OSEVENTS_TEST_TRUTH_NOTIFICATIONS", "1500"))
PER_SECOND = 300
KILLS = 3 + NOTIFICATIONS // 5000
BAD_NEWS = {"lost": 0.02, "duplicated": 0.02, "late": 0.02, "late_by": 1.0, "reordered": 0.02}
SURELY_LOST = {
    ChangeKind.CREATED: (
        "boot server", "create volume", "create port", "create project", "create snapshot",
        "create share", "create stack", "create volume type",
    ),
    ChangeKind.UPDATED: (
        "rename server", "rename network", "rename port", "rename image", "rename user",
        "switch power", "detach volume",
    ),
    ChangeKind.DELETED: (
        "delete server", "delete volume", "delete port", "delete network", "delete trunk",
        "delete load balancer", "delete metal port",
    ),
}  # fmt: skip
"""Operations of which no notification arrives at all, so that there is drift of every sort."""
SILENT = (
    "fill load balancer", "empty load balancer", "fill container", "switch agent", "switch host",
    "delete flavor", "create flavor",
)  # fmt: skip
"""Operations that no service tells of, here."""
KINDS = tuple(str(kind) for kind in ALL)
SERVICES = get_args(Offered)
PAGE = 10
"""Objects in a page, so that a pass of a small cloud has several."""
DEATHS_IN_PASSES = 1 + NOTIFICATIONS // 25_000


async def test_the_inventory_is_true_and_drift_is_what_was_lost() -> None:
    cloud = {"services": SERVICES, "page_limit": PAGE}
    async with rig(servers=30, pace=0.1, seed=20261124, **cloud) as it:
        services = await start(it)
        await asyncio.to_thread(it.simulator.misbehave, notifications=BAD_NEWS)
        await live_dangerously(it, services)
        await lose_for_sure(it)
        lost = LostNews(await asyncio.to_thread(it.simulator.lost))

        wrong = await compare(it)
        unexplained = [
            each for each in wrong
            if not each.silent and not lost.explain(each.kind, each.id, each.object)
        ]  # fmt: skip
        assert unexplained == [], "events alone keep true what they arrived for"
        harm = {each.change for each in wrong if not each.silent}
        assert harm == set(SURELY_LOST)
        silent = {each.change for each in wrong if each.silent}
        assert silent >= {ChangeKind.CREATED, ChangeKind.UPDATED}

        before = await it.database.fetch_value("select now()")
        interrupted = await full_passes_among_the_dying(it, services)
        assert await compare(it) == []
        await each_page_was_counted_once(it, interrupted)
        await nothing_was_wrongly_deleted(it)
        assert await links_amiss(it.database, CLOUD, KINDS) == set()
        assert await history_amiss(it.database, CLOUD) == []
        assert await drifted(it, since=before) == {(each.kind, each.id) for each in wrong}
        await report_names_what_was_lost(it, lost, wrong)


async def start(it: Rig) -> list[Service]:
    """Start all services, the refresher twice, and wait for the first full passes."""
    await it.start("catcher", "processor")
    refreshers = [it.deployment.add("refresher") for _ in range(2)]
    for refresher in refreshers:
        refresher.start()

    async def first_passes_are_done() -> bool:
        done = "select count(distinct kind) from passes where state = 'done' and kind = any ($1)"
        return bool(await it.database.fetch_value(done, list(KINDS)) == len(KINDS))

    await eventually(first_passes_are_done, what="the first passes are done", seconds=120)
    await it.settled()
    return refreshers


async def live_dangerously(it: Rig, refreshers: list[Service]) -> None:
    """Let the cloud live while the refresher's copies die, until all that arrived is dealt with."""
    random = Random(20261124)
    await asyncio.to_thread(
        it.simulator.life,
        running=True,
        notifications_per_second=PER_SECOND,
        notifications=NOTIFICATIONS,
    )
    for number in range(1, KILLS + 1):
        reached = NOTIFICATIONS * number // (KILLS + 1)

        async def sent_enough(reached: int = reached) -> bool:
            return await it.sent() >= reached

        await eventually(sent_enough, what=f"{reached} notifications are sent", seconds=300)
        for name in SILENT:
            await asyncio.to_thread(it.simulator.begin, name)
        victim = random.choice(refreshers)
        await asyncio.to_thread(victim.kill)
        victim.start()

    async def all_have_arrived() -> bool:
        life = await asyncio.to_thread(it.simulator.life)
        counts = (await asyncio.to_thread(it.simulator.misbehaviour))["notifications"]
        arrived = "select count(*) from events where not synthetic and type not like 'osevents.%'"
        return bool(life["idle"]) and await it.database.fetch_value(arrived) == (
            life["sent"] - counts["lost"]
        )

    await eventually(all_have_arrived, what="all that was not lost has arrived", seconds=300)
    await it.settled()


async def lose_for_sure(it: Rig) -> None:
    """Let some operations end of which nobody hears, and wait until nothing is under way."""
    await asyncio.to_thread(it.simulator.misbehave, notifications={"lost": 1})
    for name in SILENT:
        await asyncio.to_thread(it.simulator.begin, name)
    for names in SURELY_LOST.values():
        begun = [await asyncio.to_thread(it.simulator.begin, name) for name in names]
        assert any(begun), names

    async def nothing_is_under_way() -> bool:
        # What comes this close before a full pass is told apart from what is lost.
        quiet = "select max(recorded_at) < now() - interval '8 seconds' from events"
        life = await asyncio.to_thread(it.simulator.life)
        return bool(life["idle"]) and bool(await it.database.fetch_value(quiet))

    await eventually(nothing_is_under_way, what="the last event is some seconds old", seconds=300)
    await asyncio.to_thread(it.simulator.misbehave)
    await it.settled()
    assert await it.database.fetch_value("select count(*) from passes where asked_by = 'gap'") == 0


async def compare(it: Rig) -> list[Wrong]:
    """Return every row that is not as the cloud is."""
    found: list[Wrong] = []
    for kind in KINDS:
        real = await asyncio.to_thread(it.simulator.truth, kind)
        found += wrong_rows(kind, await held(it, kind), real)
    return found


async def held(it: Rig, kind: str) -> dict[str, Mapping[str, Any]]:
    """Return what lives."""
    rows = await Inventory(it.database).find(kind, most=100_000)
    return {row.ref.id: row.object or {} for row in rows}


async def full_passes_among_the_dying(it: Rig, refreshers: list[Service]) -> set[UUID]:
    """Have everything listed, and what the lists lack asked for, by copies that die meanwhile.

    Return the passes that somebody had to go on with in the middle of their lists.
    """
    slow = {service: {"delay": 0.25} for service in SERVICES}
    await asyncio.to_thread(it.simulator.misbehave, apis=slow)
    sizes = {kind: len(await asyncio.to_thread(it.simulator.truth, kind)) for kind in KINDS}
    # Who waits for passes gives up when no copy has shown itself for some seconds.
    refresh = ("refresh", "--full", "--no-wait", "--config", str(it.deployment.config))
    asking = asyncio.get_running_loop().run_in_executor(None, it.deployment.run, *refresh)
    interrupted: set[UUID] = set()
    for _ in range(DEATHS_IN_PASSES):
        if not await passes_are_midway(it, sizes, again=bool(interrupted)):
            break
        for refresher in refreshers:
            refresher.kill()  # at once: they are not midway for long
        died_at = await it.database.fetch_value("select now()")
        interrupted |= await midway(it, sizes)
        for refresher in refreshers:
            refresher.start()

        async def others_go_on(died_at: datetime = died_at) -> bool:
            left = "select count(*) from passes where state = 'running' and started_at < $1"
            return bool(await it.database.fetch_value(left, died_at) == 0)

        await eventually(others_go_on, what="others go on", seconds=300)
    asked = await asking
    assert asked.returncode == 0, asked.stderr
    await asyncio.to_thread(it.simulator.misbehave)
    await it.settled()
    latest = await FullPasses(it.database).latest()
    assert {one.state for one in latest} == {PassState.DONE}, latest
    return interrupted


async def passes_are_midway(it: Rig, sizes: Mapping[str, int], *, again: bool) -> bool:
    """Wait for passes midway; return False when there are none `again`, since all are over."""

    async def known() -> bool:
        left = "select count(*) from passes where state in ('waiting', 'running')"
        over = again and await it.database.fetch_value(left) == 0
        return over or bool(await midway(it, sizes))

    await eventually(known, what="passes are midway", seconds=300)
    return bool(await midway(it, sizes))


async def midway(it: Rig, sizes: Mapping[str, int]) -> set[UUID]:
    """Return the passes that can go on after pages that are written, and have some to go."""
    rows = await it.database.fetch(
        "select id, kind, seen from passes where state = 'running' and cardinality(markers) > 0"
    )
    return {row["id"] for row in rows if row["seen"] + 2 * PAGE < sizes[row["kind"]]}


async def each_page_was_counted_once(it: Rig, interrupted: set[UUID]) -> None:
    """Whoever went on with a pass began after the last page that the dead had written."""
    assert interrupted
    for one in await FullPasses(it.database).some(list(interrupted)):
        assert one.state is PassState.DONE, one
        there = await asyncio.to_thread(it.simulator.truth, one.kind)
        assert one.figures.seen == len(there), one


async def nothing_was_wrongly_deleted(it: Rig) -> None:
    """Nothing ever came back: no id does, in this cloud."""
    statement = "select kind, resource_id from changes where change = 'restored'"
    assert await it.database.fetch(statement) == []


async def drifted(it: Rig, *, since: datetime) -> set[tuple[str, str]]:
    """Return what the last full passes corrected; events ask for some of small kinds, too."""
    rows = await it.database.fetch(
        "select distinct changes.kind, resource_id from changes"
        " join passes on passes.id::text = changes.cause"
        " where cause_kind = 'pass' and asked_at >= $1",
        since,
    )
    return {(row["kind"], row["resource_id"]) for row in rows}


async def report_names_what_was_lost(it: Rig, lost: LostNews, wrong: list[Wrong]) -> None:
    """Hold `osevents status --drift` against what the simulator knows it lost."""
    objects = {(each.kind, each.id): each.object for each in wrong}
    rows = await asyncio.to_thread(it.deployment.rows, "status", "--drift")
    assert {row["why"] for row in rows} <= {Why.LOST, Why.SILENT}
    named = 0
    for row in rows:
        for id_ in row["examples"]:
            if row["why"] == Why.LOST:
                assert lost.explain(row["kind"], id_, objects[row["kind"], id_]), row
                assert row["missing"], row
                named += 1
    assert named > 0
