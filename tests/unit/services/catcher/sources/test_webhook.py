"""The webhook over real HTTP: who may post, when it is confirmed, what bounds it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from services.catcher.decoding.notification import Notification
from services.catcher.sources.last_read import LastRead
from services.catcher.sources.webhook import WebhookSource
from services.catcher.sources.webhook_listener import Credentials, Limits, Route, WebhookListener
from shared.errors import CloudUnavailable
from tests.support.clocks import FixedClock
from tests.support.waiting import eventually

EVENT = {"message_id": "one", "event_type": "a.b", "generated": "2026-01-15T10:00:00", "traits": []}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


AUTH = basic("ceilometer", "hush:hush")
SOON = timedelta(milliseconds=10)


class Memory:
    """A checkpoint that forgets with the process."""

    def __init__(self, position: Mapping[str, Any] | None = None) -> None:
        self.position = position

    async def load(self) -> Mapping[str, Any] | None:
        return self.position

    async def save(self, position: Mapping[str, Any]) -> None:
        self.position = position


class Setting:
    """One listener and what a test made of it."""

    def __init__(self, *, answer_within: float = 60.0, room_bytes: int = 10_000) -> None:
        self.limits = Limits(
            body_bytes=5_000,
            room_bytes=room_bytes,
            requests=4,
            answer_within=timedelta(seconds=answer_within),
        )
        self.listener = WebhookListener("127.0.0.1", 0, limits=self.limits)
        self.gaps: list[str] = []
        self.outcomes: list[str] = []
        self.clock = FixedClock()

    def source(self, memory: Memory | None = None) -> WebhookSource:
        async def on_gap(reason: str) -> None:
            self.gaps.append(reason)

        return WebhookSource(
            on_gap=on_gap,
            last_read=LastRead(memory or Memory(), self.clock),
            room_bytes=self.limits.room_bytes,
            answer_within=self.limits.answer_within,
        )

    @asynccontextmanager
    async def serving(
        self, path: str = "/prod", credentials: Credentials | None = None
    ) -> AsyncIterator[WebhookSource]:
        source = self.source()
        who = credentials or Credentials("ceilometer", "hush:hush")
        async with self.listener.serving(Route(path, who, source, self.outcomes.append)):
            yield source

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[WebhookSource]:
        """As the catcher does: who posts is cut off before the source is let go."""
        source = self.source()
        who = Credentials("ceilometer", "hush:hush")
        route = Route("/prod", who, source, self.outcomes.append)
        async with source.listening(), self.listener.serving(route):
            yield source

    async def post(
        self, value: Any = EVENT, path: str = "/prod", auth: str | None = AUTH
    ) -> tuple[int, dict[str, Any]]:
        """Post as Ceilometer does; return status and answer."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        url = f"http://127.0.0.1:{self.listener.port}{path}"
        headers = {"Content-type": "application/json"}
        if auth is not None:
            headers["Authorization"] = auth
        async with (
            ClientSession() as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json()


async def moved(source: WebhookSource) -> list[str]:
    """Take one handover to the bus, as the pump does; return the ids."""
    handover = await source.receive(most=1000, wait=SOON)
    await source.done(handover)
    return [item.message_id for item in handover.items if isinstance(item, Notification)]


async def test_the_answer_comes_when_the_bus_has_confirmed_and_not_before() -> None:
    setting = Setting()
    async with setting.serving() as source:
        posting = asyncio.create_task(setting.post([EVENT, EVENT | {"message_id": "two"}]))
        handover = await source.receive(most=1000, wait=SOON)
        assert not posting.done()
        await source.done(handover)

        assert await posting == (200, {"taken": 2})
    assert setting.outcomes == ["taken"]


async def test_what_is_not_confirmed_in_time_is_answered_503_and_kept() -> None:
    setting = Setting(answer_within=0.5)
    async with setting.serving() as source:
        status, answer = await setting.post()

        assert status == 503
        assert "kept" in answer["error"]
        assert await moved(source) == ["one"]
    assert setting.outcomes == ["late"]
    assert setting.gaps == []


async def test_what_there_is_no_room_for_is_a_gap_once_the_bus_takes_events_again() -> None:
    setting = Setting(answer_within=0.5, room_bytes=150)
    async with setting.serving() as source:
        statuses = [(await setting.post())[0] for _ in range(3)]
        await moved(source)
        waiting = asyncio.create_task(moved(source))

        async def told() -> bool:
            return len(setting.gaps) == 1

        await eventually(told, what="the gap is told")
        waiting.cancel()
    assert statuses == [503, 503, 503]
    assert setting.outcomes == ["late", "no_room", "no_room"]
    assert "2 requests were answered with 503" in setting.gaps[0]


async def test_what_is_in_hand_when_we_stop_goes_its_way_and_what_comes_then_is_a_gap() -> None:
    setting = Setting(answer_within=0.5)
    async with setting.listening() as source:
        kept, _ = await setting.post()
        rest = source.leave()
        refused, answer = await setting.post(EVENT | {"message_id": "two"})

        assert rest is not None
        assert [item.message_id for item in rest.items if isinstance(item, Notification)] == ["one"]
        assert source.leave() is None
    assert (kept, refused) == (503, 503)
    assert answer["error"] == "this copy of the catcher is about to stop"
    assert setting.outcomes == ["late", "leaving"]
    assert [gap.partition(";")[0] for gap in setting.gaps] == [
        "1 requests were answered with 503, since they came when this copy was about to stop"
    ]


async def test_several_clouds_share_a_listener_by_path() -> None:
    setting = Setting()
    async with setting.serving("/one") as one, setting.serving("/two") as two:
        async with asyncio.TaskGroup() as group:
            group.create_task(setting.post(EVENT, "/one"))
            group.create_task(setting.post(EVENT | {"message_id": "2"}, "/two"))
            at_one, at_two = await moved(one), await moved(two)
        assert (await setting.post(EVENT, "/three"))[0] == 404
    assert (at_one, at_two) == (["one"], ["2"])
    assert setting.listener.port is None, "the last one closes the door"


@pytest.mark.parametrize(
    "auth",
    [None, basic("ceilometer", "wrong"), basic("else", "hush:hush"), basic("", ""), "Basic =", "x"],
)
async def test_who_may_not_post_is_told_so_before_the_body_is_read(auth: str | None) -> None:
    setting = Setting()
    async with setting.serving() as source:
        status, _ = await setting.post(b"\xff", auth=auth)
        assert source.trouble is None
    assert status == 401
    assert setting.outcomes == ["unauthorized"]


async def test_without_a_password_a_client_certificate_is_wanted() -> None:
    setting = Setting()
    async with setting.serving(credentials=Credentials()):
        assert (await setting.post())[0] == 401


async def test_a_refusal_is_told_to_the_sender_and_shows_until_a_good_request_comes() -> None:
    setting = Setting()
    async with setting.serving() as source:
        status, answer = await setting.post([{"instance_id": "raw"}])
        trouble = source.trouble
        async with asyncio.TaskGroup() as group:
            group.create_task(setting.post())
            await moved(source)
        assert source.trouble is None
    assert status == 400
    assert "raw_only" in answer["error"]
    assert trouble is not None
    assert "raw_only" in trouble


async def test_a_body_beyond_the_bound_is_refused() -> None:
    setting = Setting()
    async with setting.serving():
        status, answer = await setting.post(b"[" + b" " * 6_000 + b"]")
    assert (status, answer) == (413, {"error": "the body has more than 5000 bytes"})


async def test_more_requests_at_once_than_allowed_are_turned_away() -> None:
    setting = Setting()
    async with setting.serving() as source, asyncio.TaskGroup() as group:
        tasks = [group.create_task(setting.post()) for _ in range(6)]

        async def two_turned_away() -> bool:
            return setting.outcomes == ["no_room", "no_room"]

        await eventually(two_turned_away, what="two are turned away")
        setting.gaps.clear()
        taken = 0
        while taken < 4:  # who is not turned away may still be reading its body
            taken += len(await moved(source))
    assert sorted(task.result()[0] for task in tasks) == [200, 200, 200, 200, 503, 503]


async def test_a_port_that_is_taken_is_named() -> None:
    first = Setting()
    async with first.serving():
        assert first.listener.port is not None
        second = Setting()
        second.listener = WebhookListener("127.0.0.1", first.listener.port, limits=second.limits)
        with pytest.raises(CloudUnavailable, match=r"cannot listen on 127\.0\.0\.1 port"):
            async with second.serving():
                pytest.fail("it listens")


async def test_a_time_in_which_nobody_listened_is_a_gap() -> None:
    setting, memory = Setting(), Memory()
    async with setting.source(memory).listening():

        async def noted() -> bool:
            return memory.position is not None

        await eventually(noted, what="it is noted")
    setting.clock.advance(timedelta(seconds=10))
    async with setting.source(memory).listening():
        pass
    short = list(setting.gaps)
    memory.position = {"read_at": setting.clock.now().isoformat()}
    setting.clock.advance(timedelta(minutes=10))
    async with setting.source(memory).listening():
        pass

    assert short == []
    assert setting.gaps == ["nobody listened for 10m; what was posted is lost"]


async def test_the_password_is_in_no_repr() -> None:
    assert "hush" not in repr(Credentials("ceilometer", "hush"))
