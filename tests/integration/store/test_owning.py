"""What goes with its owner does not outlive it, in whatever order all is read, told and written."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory, WriteResult
from shared.store.listed import ListedPages
from tests.support.events import NOON
from tests.support.waiting import eventually

CAUSE = Cause(CauseKind.EVENT, "event-1")
_CLOUDS = count()


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def router(cloud: str = "prod") -> ResourceRef:
    return ResourceRef(cloud, "router", "r")


def port(id_: str, second: float, *, cloud: str = "prod", partial: bool = False) -> Snapshot:
    item = {"id": id_, "device_id": "r", "device_owner": "network:router_interface"}
    ref = ResourceRef(cloud, "port", id_)
    return Snapshot(ref, None, None, None, item, at(second), partial=partial)


@dataclass(frozen=True, slots=True)
class Seen:
    """A port of the router was shown by a read that began at a second, or told."""

    id: str
    second: int
    how: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The router was gone at a second."""

    second: int


News = Seen | Gone


@st.composite
def deliveries(draw: st.DrawFn) -> list[News]:
    """What happened, a second a step, in any order in which it may be written; some of it twice."""
    story: list[News] = []
    for second in range(draw(st.integers(1, 8))):
        id_, how = draw(st.sampled_from("ab")), draw(st.sampled_from(("read", "list", "told")))
        story.append(Gone(second) if draw(st.booleans()) else Seen(id_, second, how))
    return draw(st.permutations(story + draw(st.lists(st.sampled_from(story), max_size=3))))


async def deliver(database: Database, cloud: str, one: News) -> None:
    if isinstance(one, Gone):
        await Inventory(database).delete({router(cloud): at(one.second)}, CAUSE)
        return
    snapshot = port(one.id, one.second, cloud=cloud, partial=one.how == "told")
    write = (ListedPages if one.how == "list" else Inventory)(database).write
    await write([snapshot], CAUSE)


def expected(news: Sequence[News]) -> list[str]:
    """Return the ports that live: once the router is gone only a read finds out that one does."""
    end = max((one.second for one in news if isinstance(one, Gone)), default=None)
    living = {
        one.id
        for one in news
        if isinstance(one, Seen) and (end is None or (one.second > end and one.how != "told"))
    }
    return sorted(living)


async def living(database: Database, cloud: str) -> list[str]:
    return [row.ref.id for row in await Inventory(database).find("port", cloud=cloud)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(news=deliveries())
async def test_in_any_order_only_what_was_read_since_outlives_its_owner(
    database: Database, news: list[News]
) -> None:
    cloud = f"cloud-{next(_CLOUDS)}"
    for one in news:
        await deliver(database, cloud, one)

    assert await living(database, cloud) == expected(news)


async def test_so_it_is_when_all_is_written_at_once(database: Database) -> None:
    generator = random.Random(5)
    for number in range(10):
        cloud = f"at-once-{number}"
        news: list[News] = [
            Seen(generator.choice("abcd"), generator.randrange(9), how)
            for how in ("read", "list", "told") * 6
        ]
        news += [Gone(second) for second in generator.sample(range(6), 2)]
        async with asyncio.TaskGroup() as group:
            for one in generator.sample(news, len(news)):
                group.create_task(deliver(database, cloud, one))

        assert await living(database, cloud) == expected(news)


@pytest.mark.parametrize("known", [True, False])
async def test_a_burial_waits_for_what_is_written_at_that_moment(
    database: Database, *, known: bool
) -> None:
    """The writer has looked for the tombstone, and has not committed its row yet."""
    inventory = Inventory(database)
    if known:
        await inventory.write([Snapshot(router(), None, None, None, {}, at(0))], CAUSE)
    async with asyncio.TaskGroup() as group, database.lent() as connection:
        slow = connection.transaction()
        await slow.start()
        await connection.execute("insert into resources values ('port', 'prod', 'a')")
        group.create_task(inventory.write([port("a", 1)], CAUSE))
        await waited_for(database, "transactionid")
        burial = group.create_task(inventory.delete({router(): at(2)}, CAUSE))
        await waited_for(database, "advisory")
        assert not burial.done()
        await slow.rollback()

    assert await inventory.find("port") == []


async def waited_for(database: Database, lock: str) -> None:
    async def so() -> bool:
        sql = "select exists (select from pg_locks where locktype = $1 and not granted)"
        return bool(await database.fetch_value(sql, lock))

    await eventually(so, what=f"somebody waits for a lock of type {lock}")


async def test_what_is_refused_counts_as_stale_and_leaves_a_tombstone(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.delete({router(): at(2)}, CAUSE)

    batch = [port("a", 1), port("b", 3)]
    assert await inventory.write(batch, CAUSE) == WriteResult(created=1, stale=1)

    refused = await inventory.get(batch[0].ref)
    assert refused is not None
    assert refused.deleted_at == at(2)


async def test_what_a_living_owner_has_stays(database: Database) -> None:
    """A read that began after the 404 found it: neither it nor what it owns is gone."""
    inventory = Inventory(database)
    await inventory.write([Snapshot(router(), None, None, None, {}, at(3))], CAUSE)
    await inventory.write([port("a", 1)], CAUSE)

    assert await inventory.delete({router(): at(2)}, CAUSE) == {}

    assert await living(database, "prod") == ["a"]


async def test_more_than_a_thousand_go_with_their_owner(database: Database) -> None:
    inventory = Inventory(database)
    await inventory.write([port(str(number), 0) for number in range(1500)], CAUSE)

    assert len(await inventory.delete({router(): at(1)}, CAUSE)) == 1500

    assert await living(database, "prod") == []
