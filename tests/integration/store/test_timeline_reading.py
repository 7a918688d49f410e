"""Pages in both orders, buckets, and what is new: compared with what a list would give."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.event import Event, Flavour, Level, Occasion
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.surroundings import find_surroundings
from shared.store.timeline import Timeline
from shared.store.timeline_reading import Reader
from shared.store.timeline_rows import Order, TimelineFilter, TimelineRow
from tests.support.events import NOON, event, server

PORT, NETWORK = ResourceRef("prod", "port", "port-1"), ResourceRef("prod", "network", "net-1")


def some(count: int) -> list[Event]:
    """Make events over five weeks and beyond, many at equal times, some in other clouds."""
    generator = random.Random(5)
    return [
        event(
            f"event-{number:04}",
            cloud=generator.choice(("prod", "test")),
            type=generator.choice(("a.one", "a.two", "b.one", "b.rare")),
            level=generator.choice(list(Level)),
            time=generator.choice(
                [NOON - timedelta(hours=generator.randrange(5 * 7 * 24))] * 9
                + [NOON.replace(year=generator.choice((1, 1980, 2999)))]
            ),
            project=generator.choice((None, "p1", "p2")),
            subjects=(server(f"server-{generator.randrange(9)}"),),
        )
        for number in range(count)
    ]


async def walk(
    database: Database, which: TimelineFilter, order: Order, size: int
) -> list[TimelineRow]:
    """Return all pages, one after the other."""
    found: list[TimelineRow] = []
    while True:
        page = await Timeline(database).find(
            which, most=size, before=found[-1].position if found else None, order=order
        )
        found += page
        if len(page) < size:
            return found


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_leave_nothing_out_and_repeat_nothing(database: Database, order: Order) -> None:
    events = some(400)
    await Timeline(database).append(events, recorded_at=NOON)
    questions = (
        (TimelineFilter(), lambda _: True),
        (TimelineFilter(types=("a.*",)), lambda one: one.type.startswith("a.")),
        (TimelineFilter(cloud="test", levels=("warning",)),
         lambda one: one.cloud == "test" and one.level == "warning"),
        (TimelineFilter(types=("b.rare",), project="p1"),
         lambda one: one.type == "b.rare" and one.project == "p1"),
        (TimelineFilter(since=NOON - timedelta(days=9), until=NOON - timedelta(days=2),
                        types=("b.*",)),
         lambda one: one.type.startswith("b.")
         and NOON - timedelta(days=9) <= one.time < NOON - timedelta(days=2)),
        (TimelineFilter(kind="server", id="server-3"),
         lambda one: one.subjects == (server("server-3"),)),
    )  # fmt: skip
    for which, holds in questions:
        expected = sorted(
            (one for one in events if holds(one)),
            key=lambda one: (one.time, one.id, one.cloud),
            reverse=order == "newest",
        )

        found = await walk(database, which, order, 7)

        assert [(row.cloud, row.id) for row in found] == [(one.cloud, one.id) for one in expected]


SINCE = NOON - timedelta(days=20)
FOREVER = NOON.replace(year=9000)


@pytest.mark.parametrize(
    ("since", "until"),
    [(SINCE, None), (SINCE, NOON), (SINCE + timedelta(minutes=7), FOREVER), (None, NOON)],
)
async def test_buckets_count_what_the_pages_show(
    database: Database, since: datetime | None, until: datetime | None
) -> None:
    events = some(300)
    await Timeline(database).append(events, recorded_at=NOON)

    buckets = await Reader(database).buckets(
        TimelineFilter(since=since, until=until, cloud="prod"),
        length=timedelta(days=1),
        by="level",
    )

    counted = Counter(
        (one.time.replace(hour=0, minute=0), one.level.value)
        for one in events
        if one.cloud == "prod"
        and (since is None or one.time >= since)
        and (until is None or one.time < until)
    )
    assert {(one.begins, one.label): one.count for one in buckets} == counted
    assert [one.begins for one in buckets] == sorted(one.begins for one in buckets)


async def test_buckets_count_twins_once_when_asked(database: Database) -> None:
    twins = [
        event("legacy"),
        event("twin", type="instance.power_off.end", flavour=Flavour.VERSIONED),
    ]
    await Timeline(database).append(twins, recorded_at=NOON)

    async def total(*, once: bool) -> int:
        which = TimelineFilter(once=once)
        buckets = await Reader(database).buckets(which, length=timedelta(hours=1), by="type")
        return sum(one.count for one in buckets)

    assert await total(once=False) == 2
    assert await total(once=True) == 1


async def news(reader: Reader, mark: str) -> tuple[str, list[str]]:
    """Return the next mark and the ids of what is new."""
    found: list[str] = []
    here = await reader.here()
    async for rows in reader.news(TimelineFilter(), mark, here):
        found += [row.id for row in rows]
    return here, found


async def test_news_are_what_is_committed_in_whatever_order(database: Database) -> None:
    reader, timeline = Reader(database), Timeline(database)
    old = NOON - timedelta(days=40)
    await timeline.append([event("before"), event("old", time=old)], recorded_at=NOON)
    mark = await reader.here()
    async with database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(
            "insert into events select (jsonb_populate_record(events,"
            " jsonb_build_object('id', 'slow', 'written', pg_current_xact_id()::text))).*"
            " from events where id = 'before'"
        )
        await timeline.append([event("quick, long ago", time=old)], recorded_at=NOON)
        mark, first = await news(reader, mark)
        await transaction.commit()
    mark, second = await news(reader, mark)
    _, third = await news(reader, mark)

    assert first == ["quick, long ago"]
    assert second == ["slow"], "it began first and was committed last"
    assert third == []


async def test_no_news_are_missed_while_many_write(database: Database) -> None:
    reader, done = Reader(database), asyncio.Event()
    mark, seen = await reader.here(), list[str]()

    async def write(name: str) -> None:
        timeline = Timeline(database)
        for number in range(40):
            await timeline.append([event(f"{name}-{number}")], recorded_at=NOON)

    async def follow() -> None:
        nonlocal mark
        while True:
            last = done.is_set()
            mark, found = await news(reader, mark)
            seen.extend(found)
            if last:
                return

    async with asyncio.TaskGroup() as followers:
        followers.create_task(follow())
        async with asyncio.TaskGroup() as writers:
            for name in "abc":
                writers.create_task(write(name))
        done.set()

    assert sorted(seen) == sorted(f"{name}-{number}" for name in "abc" for number in range(40))


async def test_many_news_come_in_parts(database: Database) -> None:
    reader = Reader(database)
    mark = await reader.here()
    await Timeline(database).append(
        [event(f"event-{number}") for number in range(1201)], recorded_at=NOON
    )

    here = await reader.here()
    sizes = [len(rows) async for rows in reader.news(TimelineFilter(), mark, here)]

    assert sizes == [500, 500, 201]


def at(
    id_: str, minutes: int, *subjects: ResourceRef, related: Sequence[ResourceRef] = ()
) -> Event:
    return event(
        id_, time=NOON + timedelta(minutes=minutes), subjects=subjects, related=tuple(related)
    )


async def test_around_an_object_is_what_happened_to_its_neighbours_then(
    database: Database,
) -> None:
    await Timeline(database).append(
        [
            at("server", 0, server()),
            at("port of it", 1, PORT, related=(server(), NETWORK)),
            at("network then", 5, NETWORK),
            at("network much later", 120, NETWORK),
            at("another port of the network", 2, ResourceRef("prod", "port", "port-2"),
               related=(NETWORK,)),
            at("another server", 1, server("server-2")),
        ],
        recorded_at=NOON,
    )  # fmt: skip

    which = await find_surroundings(
        database, TimelineFilter(kind="server", id="server-1"), timedelta(minutes=10)
    )
    found = await Timeline(database).find(which, order="oldest")

    assert [row.id for row in found] == ["server", "port of it", "network then"]


async def test_around_an_object_is_also_what_the_inventory_links_with_it(
    database: Database,
) -> None:
    port = Snapshot(PORT, "", None, "ACTIVE", {"id": "port-1", "device_id": "server-1",
                    "device_owner": "compute:nova", "network_id": "net-1"}, NOON)  # fmt: skip
    await Inventory(database).write([port], Cause(CauseKind.FULL_PASS, "pass-1"))
    await Timeline(database).append(
        [at("server", 0, server()), at("port alone", 3, PORT), at("port later", 30, PORT)],
        recorded_at=NOON,
    )

    which = await find_surroundings(
        database, TimelineFilter(kind="server", id="server-1"), timedelta(minutes=10)
    )
    found = await Timeline(database).find(which, order="oldest")

    assert [row.id for row in found] == ["server", "port alone"]


async def test_a_row_gives_the_event_back(database: Database) -> None:
    original = event(
        subjects=(server(), PORT),
        related=(NETWORK,),
        project="p",
        user="u",
        request_id="req",
        host="h",
        zone="z",
        old_state="building",
        state="active",
        synthetic=True,
        name="web",
        payload={"a": [1, None]},
    )
    await Timeline(database).append([original], recorded_at=NOON)

    row = await Timeline(database).get("prod", "event-1")

    assert row is not None
    assert row.event(Occasion.REPLAY) == original._replace(occasion=Occasion.REPLAY)


async def test_a_failure_is_kept_in_words(database: Database) -> None:
    fault = {"nova_object.data": {"exception_message": "No valid host was found."}}
    payload = {"nova_object.data": {"fault": fault, "host_name": None}}
    await Timeline(database).append([event(payload=payload)], recorded_at=NOON)

    [row] = await Timeline(database).find(TimelineFilter(text="valid HOST"))

    assert row.message == "No valid host was found."


async def test_the_last_moment_of_all_is_no_obstacle(database: Database) -> None:
    end = datetime.max.replace(tzinfo=UTC)
    await Timeline(database).append([event("a", time=end), event("b", time=end)], recorded_at=NOON)

    for order in ("newest", "oldest"):
        found = await walk(database, TimelineFilter(cloud="prod"), order, 1)
        assert len(found) == 2
