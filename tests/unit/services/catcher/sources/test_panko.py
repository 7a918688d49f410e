"""The Panko source against an Events API that has the real one's traps."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catcher.decoding.notification import Notification
from services.catcher.sources.panko import PankoSource, Start
from services.catcher.sources.port import Unreadable
from shared.backoff import Backoff
from shared.errors import CloudRefused, CloudUnavailable
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.waiting import eventually

NOTHING = timedelta()


@dataclass(frozen=True)
class PankoEndpoint:
    url: str


class EventsAPI:
    """Panko as documented: oldest first by (generated, id), conditions zipped by position."""

    def __init__(self, page_limit: int = 1000) -> None:
        self.where: PankoEndpoint | None = PankoEndpoint("http://panko:8977")
        self.path = "/v2/events"
        self.events: list[dict[str, Any]] = []
        self.failures: list[Exception] = []
        self.requests: list[list[tuple[str, str]]] = []
        self._page_limit = page_limit

    def record(self, id_: str, generated: datetime) -> None:
        self.events.append(
            {
                "message_id": id_,
                "event_type": "compute.instance.update",
                "generated": generated.replace(tzinfo=None).isoformat(),
                "traits": [{"name": "instance_id", "type": "string", "value": "server-1"}],
                "raw": {},
            }
        )

    async def endpoint(self, service_type: str) -> "PankoEndpoint | None":
        assert service_type == "event"
        return self.where

    async def get(
        self, service_type: str, path: str, params: Sequence[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        assert (service_type, path) == ("event", self.path)
        self.requests.append(list(params))
        if self.failures:
            raise self.failures.pop(0)
        rows = sorted(self.events, key=lambda item: (item["generated"], item["message_id"]))
        columns = [[value for key, value in params if key == f"q.{name}"] for name in _COLUMNS]
        for field, _, value, _ in zip(*columns, strict=True):
            if field == "start_timestamp":
                rows = [item for item in rows if item["generated"] >= value]
        plain = {key: value for key, value in params if not key.startswith("q.")}
        if plain.get("sort") == "generated:desc":
            rows.reverse()
        if "marker" in plain:
            ids = [item["message_id"] for item in rows]
            if plain["marker"] not in ids:
                raise CloudUnavailable("500 Marker not found")
            rows = rows[ids.index(plain["marker"]) + 1 :]
        return rows[: min(int(plain.get("limit", "100")), self._page_limit)]


_COLUMNS = ("field", "op", "value", "type")


class MemoryCheckpoint:
    def __init__(self) -> None:
        self.position: Mapping[str, Any] | None = None

    async def load(self) -> Mapping[str, Any] | None:
        return self.position

    async def save(self, position: Mapping[str, Any]) -> None:
        self.position = position


def source(
    api: EventsAPI, checkpoint: MemoryCheckpoint | None = None, start: Start | None = None
) -> PankoSource:
    return PankoSource(
        api,
        checkpoint or MemoryCheckpoint(),
        start=start or Start(since=None),
        poll_interval=NOTHING,
        clock=FixedClock(NOON + timedelta(hours=1)),
        random=Random(1),
        backoff=Backoff(first_seconds=0.001, longest_seconds=0.001),
    )


async def read(panko: PankoSource, count: int, *, page: int = 3) -> list[str]:
    """Read and finish pages until `count` notifications came."""
    ids: list[str] = []
    async with asyncio.timeout(10):
        while len(ids) < count:
            handover = await panko.receive(most=page, wait=NOTHING)
            ids += [item.message_id for item in handover.items if isinstance(item, Notification)]
            await panko.done(handover)
    return ids


async def test_history_is_read_from_the_oldest_event_on() -> None:
    api = EventsAPI()
    for number in range(10):
        api.record(f"event-{number}", NOON + timedelta(seconds=number))

    assert await read(source(api), 10) == [f"event-{number}" for number in range(10)]


async def test_skipping_history_begins_after_the_newest_event() -> None:
    api = EventsAPI()
    api.record("old", NOON)
    panko = source(api, start=Start(since=None, skip_history=True))

    waiting = asyncio.create_task(read(panko, 1))
    await asyncio.sleep(0.01)
    api.record("new", NOON + timedelta(seconds=1))

    assert await waiting == ["new"]


async def test_an_event_recorded_late_is_read_all_the_same() -> None:
    api = EventsAPI()
    api.record("on time", NOON)
    panko = source(api)
    assert await read(panko, 1) == ["on time"]

    api.record("late", NOON - timedelta(seconds=30))

    assert await read(panko, 1) == ["late"]


async def test_a_restart_goes_on_from_the_checkpoint_less_the_overlap() -> None:
    api, checkpoint = EventsAPI(), MemoryCheckpoint()
    api.record("long ago", NOON)
    api.record("just read", NOON + timedelta(minutes=10))
    assert await read(source(api, checkpoint), 2) == ["long ago", "just read"]

    api.record("next", NOON + timedelta(minutes=11))

    assert await read(source(api, checkpoint), 2) == ["just read", "next"]


async def test_the_checkpoint_moves_only_when_the_page_is_done() -> None:
    api, checkpoint = EventsAPI(), MemoryCheckpoint()
    api.record("one", NOON)
    panko = source(api, checkpoint)

    handover = await panko.receive(most=10, wait=NOTHING)
    assert checkpoint.position is None
    await panko.done(handover)

    assert checkpoint.position == {"generated": NOON.isoformat()}


async def test_trouble_is_shown_and_waited_out() -> None:
    api = EventsAPI()
    api.record("one", NOON)
    api.failures = [CloudUnavailable("503"), CloudRefused("403 not allowed", status=403)]
    panko = source(api)

    assert await read(panko, 1) == ["one"]
    assert panko.trouble is None
    assert len(api.requests) == 3


async def test_an_expired_marker_begins_the_sweep_anew() -> None:
    api = EventsAPI()
    for number in range(4):
        api.record(f"event-{number}", NOON + timedelta(seconds=number))
    panko = source(api)
    assert await read(panko, 2, page=2) == ["event-0", "event-1"]

    del api.events[1]  # the marker

    assert await read(panko, 2, page=2) == ["event-2", "event-3"]


async def test_a_time_in_the_future_does_not_hide_what_comes() -> None:
    api = EventsAPI()
    api.record("from the future", NOON + timedelta(days=365))
    panko = source(api)
    assert await read(panko, 1) == ["from the future"]

    api.record("now", NOON + timedelta(hours=1))

    assert await read(panko, 1) == ["now"]


@pytest.mark.parametrize(
    ("url", "path"),
    [("http://panko:8977", "/v2/events"), ("http://cloud/event/v2/", "/events")],
)
async def test_an_endpoint_may_be_given_with_its_version(url: str, path: str) -> None:
    api = EventsAPI()
    api.where, api.path = PankoEndpoint(url), path
    api.record("one", NOON)

    assert await read(source(api), 1) == ["one"]


async def test_a_cloud_without_panko_is_a_visible_state() -> None:
    api = EventsAPI()
    api.where = None
    panko = source(api)

    waiting = asyncio.create_task(panko.receive(most=1, wait=NOTHING))

    async def told() -> bool:
        return panko.trouble is not None and "no service of type 'event'" in panko.trouble

    await eventually(told, what="the source says why nothing arrives")
    waiting.cancel()


async def test_every_condition_has_field_op_value_and_type() -> None:
    api = EventsAPI()
    api.record("one", NOON)
    panko = source(api, start=Start(since=NOON))

    await read(panko, 1)

    counts = {name: sum(key == f"q.{name}" for key, _ in api.requests[0]) for name in _COLUMNS}
    assert counts == dict.fromkeys(_COLUMNS, 2)


async def test_an_item_that_is_no_event_is_handed_over_as_unreadable() -> None:
    api = EventsAPI()
    api.events.append({"message_id": "bad", "generated": "2026-11-23T12:00:00"})
    panko = source(api)

    handover = await panko.receive(most=10, wait=NOTHING)

    assert isinstance(handover.items[0], Unreadable)
    assert b'"bad"' in handover.items[0].body


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 40)), min_size=1, max_size=25),
    st.integers(1, 7),
)
def test_whatever_comes_late_within_the_overlap_is_read_once(
    recorded: list[tuple[int, int]], page: int
) -> None:
    """Each pair is when an event is recorded (second) and how long before it was generated."""

    async def scenario() -> list[str]:
        api = EventsAPI()
        panko = source(api)
        seen: list[str] = []
        for number, (second, delay) in enumerate(sorted(recorded)):
            api.record(f"event-{number}", NOON + timedelta(seconds=second - delay))
            seen += await read(panko, 1, page=page)
        return seen

    seen = asyncio.run(scenario())

    assert sorted(seen) == sorted(f"event-{number}" for number in range(len(recorded)))
