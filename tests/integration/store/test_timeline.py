"""The timeline: once per event, filtered, in pages."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Unstorable
from shared.event import Event, Flavour
from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow
from tests.support.events import NOON, event, numbered, server


def ids(rows: Sequence[TimelineRow]) -> list[str]:
    return [row.id for row in rows]


async def count(database: Database) -> int:
    return int(await database.fetch_value("select count(*) from events"))


async def test_an_event_comes_back_as_it_went_in(database: Database) -> None:
    timeline = Timeline(database)
    port = ResourceRef("prod", "port", "port-1")
    original = event(
        related=(port,),
        project="project-1",
        user="user-1",
        request_id="req-1",
        state="active",
        payload={"text": "ä\u2028", "list": [1, 2.5, None, True]},
    )

    await timeline.append([original], recorded_at=NOON + timedelta(seconds=1))

    row = await timeline.get("prod", "event-1")
    assert row is not None
    for name in ("id", "cloud", "type", "time", "service", "flavour", "action", "phase", "level"):
        assert getattr(row, name) == getattr(original, name)
    assert row.refs == ("server/server-1", "port/port-1")
    assert (row.subject_kind, row.subject_id) == ("server", "server-1")
    assert (row.project, row.user_id, row.state) == ("project-1", "user-1", "active")
    assert row.payload == original.payload
    assert row.recorded_at == NOON + timedelta(seconds=1)


async def test_an_event_without_subject_or_payload_is_kept(database: Database) -> None:
    timeline = Timeline(database)

    await timeline.append([event(subjects=(), payload=None)], recorded_at=NOON)

    row = await timeline.get("prod", "event-1")
    assert row is not None
    assert (row.subject_kind, row.refs, row.payload) == (None, (), None)


async def test_an_event_delivered_again_is_one_row_whatever_its_time(database: Database) -> None:
    timeline = Timeline(database)

    assert await timeline.append([event(), event()], recorded_at=NOON) == 1
    assert await timeline.append([event(time=NOON + timedelta(days=30))], recorded_at=NOON) == 0
    assert await timeline.append([event(), event("event-2")], recorded_at=NOON) == 1
    assert await count(database) == 2


async def test_two_clouds_may_use_the_same_id(database: Database) -> None:
    timeline = Timeline(database)

    assert await timeline.append([event(), event(cloud="test")], recorded_at=NOON) == 2


async def test_writers_with_the_same_events_write_each_once(database: Database) -> None:
    events = numbered(300)
    generator = random.Random(7)

    async def write() -> int:
        mine = generator.sample(events, len(events))
        timeline = Timeline(database)
        return sum(
            [
                await timeline.append(mine[at : at + 50], recorded_at=NOON)
                for at in range(0, 300, 50)
            ]
        )

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write()) for _ in range(4)]

    assert sum(writer.result() for writer in writers) == 300
    assert await count(database) == 300


@pytest.mark.parametrize(
    "bad",
    [
        event("bad", payload={"text": "a\x00b"}),
        event("bad\x00"),
        event("bad", name="half a pair: \ud800"),
        event("bad", payload={"text": "\ud800"}),
        event("bad", payload={"number": 1 << 70}),
        event(random.Random(1).randbytes(3000).hex()),
    ],
    ids=["NUL in payload", "NUL in id", "surrogate", "surrogate in payload", "number", "long id"],
)
async def test_a_batch_with_a_value_postgresql_cannot_hold_is_refused_whole(
    database: Database, bad: Event
) -> None:
    with pytest.raises(Unstorable):
        await Timeline(database).append([event(), bad], recorded_at=NOON)

    assert await count(database) == 0


async def test_pages_are_newest_first_and_leave_nothing_out(database: Database) -> None:
    timeline = Timeline(database)
    same_time = [event(f"same-{number}", cloud=cloud) for number in range(3) for cloud in "ab"]
    await timeline.append([*numbered(5), *same_time], recorded_at=NOON)

    pages, before = [], None
    while page := await timeline.find(TimelineFilter(), most=2, before=before):
        pages.append(page)
        before = page[-1].position

    rows = [row for page in pages for row in page]
    assert len(rows) == 11
    assert rows == sorted(rows, key=lambda row: (row.time, row.id, row.cloud), reverse=True)


PORT = ResourceRef("prod", "port", "port-1")


@pytest.mark.parametrize(
    ("which", "different"),
    [
        (TimelineFilter(cloud="test"), {"cloud": "test"}),
        (TimelineFilter(types=("volume.*",)), {"type": "volume.create.end"}),
        (TimelineFilter(types=("*.create.end",)), {"type": "volume.create.end"}),
        (TimelineFilter(types=("volume.create.end",)), {"type": "volume.create.end"}),
        (TimelineFilter(types=("a_%.b",)), {"type": "a_%.b"}),
        (TimelineFilter(categories=("storage",)), {"category": "storage"}),
        (TimelineFilter(levels=("detail",)), {"level": "detail"}),
        (TimelineFilter(kind="port", id="port-1"), {"subjects": (PORT,)}),
        (TimelineFilter(kind="port", id="port-1"), {"related": (PORT,)}),
        (TimelineFilter(project="project-9"), {"project": "project-9"}),
        (TimelineFilter(user="user-9"), {"user": "user-9"}),
        (TimelineFilter(request_id="req-9"), {"request_id": "req-9"}),
        (TimelineFilter(host="host-9"), {"host": "host-9"}),
        (TimelineFilter(service="network"), {"service": "network"}),
        (TimelineFilter(types=("a.*", "volume.*")), {"type": "volume.create.end"}),
        (TimelineFilter(levels=("warning", "detail")), {"level": "detail"}),
        (TimelineFilter(categories=("x", "storage")), {"category": "storage"}),
        (TimelineFilter(kind="port"), {"subjects": (PORT,)}),
        (TimelineFilter(state="ERROR"), {"state": "error"}),
        (TimelineFilter(synthetic=True), {"synthetic": True}),
        (TimelineFilter(text="web"), {"name": "Web-1"}),
        (TimelineFilter(text="web-1"), {"name": "my.web-1.example"}),
        (TimelineFilter(text="volume creat"), {"type": "volume.create.end"}),
        (TimelineFilter(text="valid host"), {"payload": {"message": "No valid host was found"}}),
        (TimelineFilter(text="ÜBER"), {"name": "über"}),
        (TimelineFilter(since=NOON + timedelta(hours=1)), {"time": NOON + timedelta(hours=1)}),
        (TimelineFilter(until=NOON), {"time": NOON - timedelta(microseconds=1)}),
    ],
    ids=str,
)
async def test_a_filter_finds_what_it_names_and_nothing_else(
    database: Database, which: TimelineFilter, different: dict[str, Any]
) -> None:
    timeline = Timeline(database)
    await timeline.append([*numbered(3), event("wanted", **different)], recorded_at=NOON)

    assert ids(await timeline.find(which)) == ["wanted"]


async def test_filters_narrow_each_other(database: Database) -> None:
    timeline = Timeline(database)
    both = event("both", project="p", host="h")
    await timeline.append(
        [both, event("one", project="p"), event("two", host="h")], recorded_at=NOON
    )

    assert ids(await timeline.find(TimelineFilter(project="p", host="h"))) == ["both"]


async def test_an_absurd_time_is_kept_without_a_partition_of_its_own(database: Database) -> None:
    timeline = Timeline(database)
    absurd = [
        event(f"event-{year}", time=NOON.replace(year=year)) for year in (1, 1970, 2100, 9999)
    ]

    await timeline.append([*absurd, event("now")], recorded_at=NOON)

    assert ids(await timeline.find(TimelineFilter())) == [
        "event-9999",
        "event-2100",
        "now",
        "event-1970",
        "event-1",
    ]
    partitions = await database.fetch(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass"
    )
    assert sorted(row[0] for row in partitions) == ["events_2026w48", "events_outlying"]


async def test_times_that_became_believable_move_to_their_week(database: Database) -> None:
    later = NOON + timedelta(days=60)
    await Timeline(database).append([event("early", time=later)], recorded_at=NOON)
    assert await database.fetch_value("select count(*) from events_outlying") == 1

    await Timeline(database).append([event("due", time=later)], recorded_at=later)

    assert await database.fetch_value("select count(*) from events_outlying") == 0
    assert ids(await Timeline(database).find(TimelineFilter())) == ["early", "due"]


async def test_writers_of_the_same_new_week_make_one_partition(database: Database) -> None:
    weeks = [NOON + timedelta(weeks=week) for week in range(-3, 1)]

    async def write(name: int) -> int:
        events = [event(f"{name}-{time}", time=time) for time in weeks]
        return await Timeline(database).append(events, recorded_at=NOON)

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(name)) for name in range(6)]

    assert sum(writer.result() for writer in writers) == 24
    assert await database.fetch_value("select count(*) from events_outlying") == 0


async def test_purging_drops_old_weeks_and_their_ids(database: Database) -> None:
    timeline = Timeline(database)
    old, recent = event("old", time=NOON - timedelta(weeks=4)), event("recent")
    absurd = event("absurd", time=NOON.replace(year=1970))
    await timeline.append([old, recent, absurd], recorded_at=NOON)

    dropped = await timeline.purge(NOON)

    assert dropped == ["events_2026w44"]
    assert ids(await timeline.find(TimelineFilter())) == ["recent"]
    assert await timeline.append([old, recent, absurd], recorded_at=NOON) == 2


async def test_purging_keeps_a_week_that_is_not_over(database: Database) -> None:
    timeline = Timeline(database)
    monday = event("monday", time=NOON.replace(hour=0, minute=0))  # NOON is a Monday
    await timeline.append(
        [monday, event("sunday", time=monday.time - timedelta(seconds=1))], recorded_at=NOON
    )

    await timeline.purge(NOON + timedelta(days=6))

    assert ids(await timeline.find(TimelineFilter())) == ["monday"]


async def test_an_event_goes_on_being_found_by_its_related_objects(database: Database) -> None:
    timeline = Timeline(database)
    events = [
        item._replace(related=(server(f"server-{number}"),))
        for number, item in enumerate(numbered(4))
    ]
    await timeline.append(events, recorded_at=NOON)

    found = await timeline.find(TimelineFilter(kind="server", id="server-3"))

    assert ids(found) == ["event-3"]


def told(id_: str, seconds: float = 0.0, **different: Any) -> Event:
    return event(id_, time=NOON + timedelta(seconds=seconds), **different)


def versioned(id_: str, seconds: float = 0.0, **different: Any) -> Event:
    return told(id_, seconds, type="instance.power_off.end", flavour=Flavour.VERSIONED, **different)


async def test_an_event_is_found_by_its_canonical_name_too(database: Database) -> None:
    timeline = Timeline(database)
    await timeline.append([versioned("versioned"), told("legacy", 1)], recorded_at=NOON)

    both = await timeline.find(TimelineFilter(types=("compute.instance.power_off.*",)))
    one = await timeline.find(TimelineFilter(types=("instance.*",)))

    assert [(row.id, row.type, row.canonical) for row in both] == [
        ("legacy", "compute.instance.power_off.end", "compute.instance.power_off.end"),
        ("versioned", "instance.power_off.end", "compute.instance.power_off.end"),
    ]
    assert ids(one) == ["versioned"]


async def test_what_came_both_ways_can_be_shown_once(database: Database) -> None:
    timeline = Timeline(database)
    same_name = {"type": "aggregate.create.end", "canonical": "aggregate.create.end"}
    events = [
        told("legacy"),
        versioned("twin", 0.2),
        versioned("another server", 0.2, subjects=(server("server-2"),)),
        versioned("much later", 60),
        versioned("another cloud", cloud="test"),
        told("aggregate", 3, **same_name),
        told("aggregate, versioned", 3.1, flavour=Flavour.VERSIONED, **same_name),
    ]
    await timeline.append(events, recorded_at=NOON)

    once = await timeline.find(TimelineFilter(once=True))

    assert set(ids(once)) == {row.id for row in events} - {"twin", "aggregate, versioned"}
