"""Whatever comes: a dead letter that says why, or an event; and the neighbours are unharmed."""

import gzip
import json
import re
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from services.catcher.decoding.remains import remains_of
from shared.codec import BATCH, SINGLE, encode, to_cloudevent
from shared.store.database import Database
from shared.store.timeline import TimelineRow
from tests.support.events import event
from tests.support.notifications import NOON, bare, envelope, legacy_nova, message
from tests.support.pipeline import CLOCK, Pipeline, run_pipeline
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

UNKNOWN = "moon.eclipse.foreseen"
REPLACED = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture
async def pipeline(
    rabbit_vhost: RabbitVhost, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pipeline]:
    async with run_pipeline(rabbit_vhost, database, tmp_path, monkeypatch) as pipeline:
        yield pipeline


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that becomes a dead letter."""

    body: bytes
    reason: str
    headers: Mapping[str, Any] = field(default_factory=dict)


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def raw(event_type: str, **parts: str) -> bytes:
    """Write a notification with some parts as they would not be written by anybody."""
    written = {"message_id": '"raw"', "event_type": json.dumps(event_type), "payload": "{}"} | parts
    return ("{" + ",".join(f'"{key}": {text}' for key, text in written.items()) + "}").encode()


DEAD = {
    "an empty body": Unreadable(b"", "not JSON"),
    "not JSON": Unreadable(b"\x00\xff\xfehello", "not UTF-8"),
    "text": Unreadable(b"hello", "not JSON.*begins with 'hello'"),
    "JSON that ends too early": Unreadable(envelope(message(UNKNOWN, {}))[:-20], "not JSON"),
    "an envelope whose message ends too early": Unreadable(
        bare({"oslo.version": "2.0", "oslo.message": '{"event_type": "x'}),
        "oslo.message is not JSON",
    ),
    "an envelope of another version": Unreadable(
        envelope(message(UNKNOWN, {}), "3.0"), "oslo.version is '3.0'; 2.x can be read"
    ),
    "an envelope of version 2, the number": Unreadable(
        envelope(message(UNKNOWN, {}), 2.0), "oslo.version is 2.0"
    ),
    "an envelope with an object in it": Unreadable(
        bare({"oslo.version": "2.0", "oslo.message": message(UNKNOWN, {})}),
        "oslo.message is dict, not a string",
    ),
    "an envelope within an envelope": Unreadable(
        envelope({"oslo.version": "2.0", "oslo.message": "{}"}), "event_type is None"
    ),
    "a list": Unreadable(b"[1, 2]", "is an object, this is list"),
    "null": Unreadable(b"null", "is an object, this is None"),
    "no event type": Unreadable(bare({"payload": {}}), "event_type is None.*keys are 'payload'"),
    "an empty event type": Unreadable(bare(message("", {})), "event_type is ''"),
    "a number for an event type": Unreadable(bare({"event_type": 5}), "event_type is 5"),
    "an event type of two thousand characters": Unreadable(
        bare(message("x" * 2000, {})), "event_type has 2000 characters"
    ),
    "nested 1000 deep": Unreadable(raw("deep", payload=deep(1000)), "nested deeper than 200"),
    "nested 100 000 deep": Unreadable(raw("deep", payload=deep(100_000)), "nested deeper than 200"),
    "half a character in raw bytes": Unreadable(
        bare(message(UNKNOWN, "?")).replace(b"?", b"\xed\xa0\x80"), "not UTF-8"
    ),
    "gzip that is none": Unreadable(
        bare(message(UNKNOWN, {})), "not zlib", {"compression": "application/x-gzip"}
    ),
    "bzip2 that is none": Unreadable(
        bare(message(UNKNOWN, {})), "not bz2", {"compression": "application/x-bz2"}
    ),
    "a compression nobody knows": Unreadable(
        bare(message(UNKNOWN, {})), "unknown compression 'brotli'", {"compression": "brotli"}
    ),
    "a list of events that are none": Unreadable(
        bare(message("event", [1])), "an event of Panko is an object, this is 1"
    ),
}


@dataclass(frozen=True, slots=True)
class Odd:
    """A message that becomes an event; `expected` are columns of its row."""

    body: bytes
    expected: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)


def odd(payload: Any = None, /, **different: Any) -> bytes:
    return envelope(message(different.pop("event_type", UNKNOWN), payload, **different))


NOW = "about now"
"""Expected of a time that could not be believed: when we received it."""
LARGE = {"items": ["x" * 1000] * 5 * 1024}

ODD = {
    "an unknown type": Odd(odd({"a": 1}), {"known": False, "type": UNKNOWN, "payload": {"a": 1}}),
    "a payload that is a string": Odd(odd("text"), {"known": False, "payload": "text"}),
    "a payload that is a list": Odd(odd([1, [2]]), {"payload": [1, [2]]}),
    "a payload that is null": Odd(odd(None), {"payload": None}),
    "a payload that is a number": Odd(odd(1.5), {"payload": 1.5}),
    "a payload that is an immense number": Odd(
        raw(UNKNOWN, message_id='"odd"', payload="1" * 100), {"payload": float("1" * 100)}
    ),
    "no payload": Odd(bare({"event_type": UNKNOWN, "message_id": "odd"}), {"payload": None}),
    "a known type with a string for a payload": Odd(
        odd("text", event_type="compute.instance.delete.end"),
        {"known": True, "payload": "text", "subject_id": None},
    ),
    "a known type with lists for ids": Odd(
        odd(
            {"instance_id": ["a"], "tenant_id": {}, "host": 5}, event_type="compute.instance.update"
        ),
        {"known": True, "subject_id": None},
    ),
    "a payload of 5 MB": Odd(odd(LARGE), {"payload": LARGE}),
    "a timestamp in year 1": Odd(odd(timestamp="0001-01-01 00:00:00"), {"time": NOW}),
    "a timestamp before year 1 in UTC": Odd(
        odd(timestamp="0001-01-01T00:00:00+14:00"), {"time": NOW}
    ),
    "a timestamp in year 9999": Odd(odd(timestamp="9999-12-31 23:59:59.999999"), {"time": NOW}),
    "a timestamp of soon": Odd(odd(timestamp="soon"), {"time": NOW}),
    "a timestamp that is a number": Odd(odd(timestamp=1_800_000_000), {"time": NOW}),
    "no timestamp": Odd(bare({"event_type": UNKNOWN, "message_id": "odd"}), {"time": NOW}),
    "NUL characters": Odd(
        odd({"na\0me": "a\0b"}, event_type="a\0b", publisher_id="c\0d"),
        {"payload": {f"na{REPLACED}me": f"a{REPLACED}b"}, "type": f"a{REPLACED}b"},
    ),
    "halves of characters": Odd(
        odd({"na\ud800me": "a\udfffb"}, event_type="a\ud800b"),
        {"payload": {f"na{REPLACED}me": f"a{REPLACED}b"}, "type": f"a{REPLACED}b"},
    ),
    "NaN": Odd(odd({"load": float("nan")}), {"payload": {"load": None}}),
    "nested 150 deep": Odd(
        raw(UNKNOWN, message_id='"odd"', payload=deep(150)), {"payload": json.loads(deep(150))}
    ),
    "an event type of 300 characters": Odd(odd(event_type="x" * 300), {"type": "x" * 300}),
    "an event type of blanks and signs": Odd(odd(event_type="# . * \n%"), {"type": "# . * \n%"}),
    "a priority that is no text": Odd(odd(priority=["INFO"]), {"priority": "info"}),
    "really gzip": Odd(
        gzip.compress(odd({"packed": 1})), {"payload": {"packed": 1}}, {"compression": "gzip"}
    ),
    "what kombu calls gzip": Odd(
        zlib.compress(odd({"packed": 2})),
        {"payload": {"packed": 2}},
        {"compression": "application/x-gzip"},
    ),
}


def with_id(body: bytes, id_: str) -> bytes:
    """Return the message with an id of its own, so that its row is found."""
    return body.replace(
        b'\\"2b2b83bf-5461-5a38-9940-aa7ee962d279\\"', rf"\"{id_}\"".encode()
    ).replace(b'"odd"', f'"{id_}"'.encode())


def repacked(case: Odd, id_: str) -> bytes:
    if "compression" not in case.headers:
        return with_id(case.body, id_)
    opened = zlib.decompress(case.body, wbits=zlib.MAX_WBITS | 32)
    return zlib.compress(with_id(opened, id_))


def neighbour(number: int) -> bytes:
    """Make a notification as it should be."""
    id_ = f"neighbour-{number}"
    return envelope(legacy_nova("compute.instance.update") | {"message_id": id_})


@asynccontextmanager
async def among_neighbours(pipeline: Pipeline, count: int) -> AsyncIterator[None]:
    """Send neighbours before and after; at the end they are there, and everything still works."""
    await pipeline.send(neighbour(0))
    yield
    await pipeline.send(neighbour(count))
    expected = {f"neighbour-{number}" for number in range(count + 1)}

    async def there() -> bool:
        return expected <= (await pipeline.rows()).keys()

    await eventually(there, what="the neighbours are on the timeline")
    await all_services_work(pipeline)


async def all_services_work(pipeline: Pipeline) -> None:
    """Rename a server, tell so, and see it on the timeline and in the inventory."""
    server = next(iter(pipeline.simulator.state.world.servers))
    server.name = "renamed afterwards"
    told = legacy_nova("compute.instance.update", instance_id=server.id, display_name=server.name)
    await pipeline.send(envelope(told | {"message_id": "afterwards"}))

    async def arrived() -> bool:
        return (
            "afterwards" in await pipeline.rows()
            and await pipeline.server_name(server.id) == server.name
        )

    await eventually(arrived, what="all services work on")


async def test_what_cannot_be_read_is_a_dead_letter_that_says_why(pipeline: Pipeline) -> None:
    async with among_neighbours(pipeline, len(DEAD)):
        for number, case in enumerate(DEAD.values(), start=1):
            await pipeline.send(case.body, case.headers)
            await pipeline.send(neighbour(number))

    # The same bytes are one letter, with the reason of the last death.
    latest = {remains_of(case.body): (name, case) for name, case in DEAD.items()}

    async def all_kept() -> bool:
        return {letter.body for letter in await pipeline.letters()} == latest.keys()

    await eventually(all_kept, what="the dead letters are kept")
    letters = {letter.body: letter for letter in await pipeline.letters()}
    for body, (name, case) in latest.items():
        assert re.search(case.reason, letters[body].reason), (name, letters[body].reason)
    assert {(each.origin, each.cloud) for each in letters.values()} == {("catcher", "prod")}
    assert all("\n" not in letter.reason for letter in letters.values())
    assert set(await pipeline.rows()) == {
        "afterwards",
        *(f"neighbour-{number}" for number in range(len(DEAD) + 1)),
    }


async def test_what_is_odd_is_an_event_all_the_same(pipeline: Pipeline) -> None:
    began = CLOCK.now()
    async with among_neighbours(pipeline, len(ODD)):
        for number, (name, case) in enumerate(ODD.items(), start=1):
            await pipeline.send(repacked(case, name), case.headers)
            await pipeline.send(neighbour(number))

    async def all_there() -> bool:
        return ODD.keys() <= (await pipeline.rows()).keys()

    await eventually(all_there, what="the odd events are on the timeline")
    rows = await pipeline.rows()
    for name, case in ODD.items():
        for column, value in case.expected.items():
            told = getattr(rows[name], column)
            if value is NOW:
                assert began - timedelta(seconds=1) <= told <= CLOCK.now(), name
            else:
                assert told == value, (name, column)
    assert await pipeline.letters() == []
    assert len(rows) == 2 * len(ODD) + 2


async def test_a_notification_without_an_id_is_on_the_timeline_once_however_often_it_comes(
    pipeline: Pipeline,
) -> None:
    nameless = message(UNKNOWN, {"number": 1})
    del nameless["message_id"]
    other = nameless | {"payload": {"number": 2}}
    async with among_neighbours(pipeline, 1):
        for body in (envelope(nameless), envelope(nameless), envelope(other)):
            await pipeline.send(body)

    async def both_there() -> bool:
        return len(await pipeline.rows()) == 5

    await eventually(both_there, what="both are there, beside two neighbours and the last")
    assert sorted(
        row.payload["number"] for row in (await pipeline.rows()).values() if row.type == UNKNOWN
    ) == [1, 2]


async def test_many_large_notifications_of_one_type_do_not_block_the_bus(
    pipeline: Pipeline,
) -> None:
    async with among_neighbours(pipeline, 1):
        for number in range(8):
            await pipeline.send(with_id(odd(LARGE), f"large-{number}"))

    async def all_there() -> bool:
        return len(await pipeline.rows()) == 8 + 3

    await eventually(all_there, what="the large events are on the timeline")
    assert await pipeline.letters() == []


def changed(id_: str, **different: Any) -> bytes:
    return json.dumps(to_cloudevent(event(id_, time=NOON)) | different).encode()


def without(id_: str, key: str) -> bytes:
    item = to_cloudevent(event(id_))
    del item[key]
    return json.dumps(item).encode()


NO_EVENTS = {
    "not JSON": (b"\xff\x00 no event", SINGLE, "not JSON"),
    "of another program": (b'{"hello": "world"}', SINGLE, "not an osevents CloudEvent.*data"),
    "a list announced as one": (b"[]", SINGLE, "not an osevents CloudEvent"),
    "one announced as a batch": (changed("one"), BATCH, "holds dict, not a list"),
    "without a type": (without("no-type", "type"), SINGLE, "type"),
    "an unknown flavour": (
        changed("f", data=to_cloudevent(event())["data"] | {"flavour": "x" * 200_000}),
        SINGLE,
        "ValueError",
    ),
    "a time that is none": (changed("t", time="soon"), SINGLE, "soon"),
    "a time before all times": (
        changed("t", time="0001-01-01T00:00:00+14:00"),
        SINGLE,
        "date value out of range",
    ),
    "a number for an id": (changed("n", id=5), SINGLE, "id"),
    "a list for a cloud": (changed("c", cloud=["prod"]), SINGLE, "cloud"),
    "a list for a type": (changed("y", type=["a"]), SINGLE, "type"),
}


async def test_what_is_no_event_on_the_bus_dies_in_each_group_and_is_kept_once(
    pipeline: Pipeline,
) -> None:
    async with among_neighbours(pipeline, len(NO_EVENTS)):
        for number, (body, content_type, _) in enumerate(NO_EVENTS.values(), start=1):
            await pipeline.send_inside(body, content_type)
            await pipeline.send(neighbour(number))

    async def all_died() -> bool:
        return sum(letter.tries for letter in await pipeline.letters()) >= 2 * len(NO_EVENTS)

    await eventually(all_died, what="both groups gave up on each")
    letters = await pipeline.letters()
    for name, (body, _, reason) in NO_EVENTS.items():
        (letter,) = [letter for letter in letters if letter.body == body]
        assert letter.tries == 2, name
        assert re.search(reason, letter.reason), (name, letter.reason)
    assert {letter.origin for letter in letters} == {"bus"}


async def test_what_others_send_to_the_dead_is_kept_with_them(pipeline: Pipeline) -> None:
    times = (None, 5, "soon", "0001-01-01T00:00:00+14:00")
    async with among_neighbours(pipeline, 1):
        for number, time in enumerate(times):
            headers: dict[str, Any] = {"x-osevents-origin": "x", "x-osevents-reason": "y"}
            headers |= {"x-osevents-at": time} if time else {}
            sent = aio_pika.Message(b"foreign %d" % number, headers=headers)
            await pipeline.dead_exchange.publish(sent, "")

    async def all_kept() -> bool:
        return len(await pipeline.letters()) == len(times)

    await eventually(all_kept, what="foreign dead letters are kept")
    letters = await pipeline.letters()
    assert {letter.body for letter in letters} == {b"foreign %d" % n for n in range(len(times))}
    assert {letter.reason for letter in letters} == {"sent to osevents.dead by somebody else"}


async def test_one_that_is_no_event_does_not_take_its_batch_along(pipeline: Pipeline) -> None:
    batch = [to_cloudevent(event(f"event-{number}")) for number in range(5)]
    batch[2] = {"hello": "world"}
    async with among_neighbours(pipeline, 1):
        await pipeline.send_inside(json.dumps(batch).encode(), BATCH)

    async def rest_is_there() -> bool:
        rows, letters = await pipeline.rows(), await pipeline.letters()
        return len(rows) == 4 + 3 and [letter.tries for letter in letters] == [2]

    await eventually(rest_is_there, what="four of five are on the timeline")
    (letter,) = await pipeline.letters()
    assert json.loads(letter.body) == {"hello": "world"}


async def test_an_event_that_postgresql_refuses_is_a_dead_letter_of_the_processor(
    pipeline: Pipeline,
) -> None:
    poison = event("poison", payload={"nul": "a\0b"}, time=CLOCK.now())
    good = [event(f"good-{number}", time=CLOCK.now()) for number in range(6)]
    async with among_neighbours(pipeline, 1):
        for item in (*good[:3], poison, *good[3:]):
            await pipeline.send_inside(encode(item), SINGLE)

    async def kept() -> bool:
        return bool(await pipeline.letters())

    await eventually(kept, what="the poison is a dead letter")
    [letter] = await pipeline.letters()
    assert letter.origin == "processor"
    assert letter.body == encode(poison)
    assert "PostgreSQL cannot hold a value" in letter.reason
    rows: dict[str, TimelineRow] = await pipeline.rows()
    assert {item.id for item in good} <= rows.keys()
    assert "poison" not in rows
