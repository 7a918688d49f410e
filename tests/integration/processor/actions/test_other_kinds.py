"""Publishing, refreshing, notes, logs and functions, through the outbox as rules use them."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest

from services.processor.actions.kinds import known_kinds
from shared.codec import SINGLE, decode
from shared.errors import Misconfigured
from shared.firing import ActionSpec
from shared.resource import ResourceRef
from shared.store.outbox import ActionState, Outbox
from tests.integration.processor.actions import functions
from tests.integration.processor.actions.conftest import Bench
from tests.support.events import event, server
from tests.support.firings import firing

MODULE = "tests.integration.processor.actions.functions"
PORT = ResourceRef("prod", "port", "port-1")


async def result_of(bench: Bench, action: ActionSpec, bus_url: str | None = None) -> ActionState:
    """Run one action once."""
    about = event(name="web-1", subjects=(server(),), related=(PORT,))
    await bench.put(firing(action, about=about))
    async with bench.working(bench.worker(bus_url=bus_url)):
        await bench.at_rest()
    [state] = await Outbox(bench.database).of_event("prod", "event-1")
    return state


@pytest.mark.rabbitmq
async def test_an_event_is_published_to_an_exchange_that_is_there(
    bench: Bench, rabbit_url: str
) -> None:
    connection = await aio_pika.connect(rabbit_url)
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange("tickets", "topic")
        queue = await channel.declare_queue("mine")
        await queue.bind(exchange, "prod.#")

        action = ActionSpec("publish", {"exchange": "tickets"})
        state = await result_of(bench, action, rabbit_url)
        message = await queue.get()

    assert state.result == "confirmed by exchange 'tickets'"
    assert message.routing_key == "prod.compute.instance.power_off.end"
    assert message.content_type == SINGLE
    assert decode(message.body, SINGLE)[0].id == "event-1"
    assert str(message.message_id).endswith("-0")
    assert message.headers == {"x-osevents-rule": "servers off"}


@pytest.mark.rabbitmq
async def test_a_body_of_ones_own_goes_to_a_broker_of_ones_own(
    bench: Bench, rabbit_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKETS_URL", rabbit_url)
    settings = {
        "exchange": "",
        "url": "env:TICKETS_URL",
        "routing_key": "{{ event.subject.kind }}s",
        "body": "{{ event.name }} is off",
        "content_type": "text/plain",
    }
    connection = await aio_pika.connect(rabbit_url)
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue("servers")
        state = await result_of(bench, ActionSpec("publish", settings))
        message = await queue.get()

    assert state.state == "done"
    assert (message.body, message.content_type) == (b"web-1 is off", "text/plain")


@pytest.mark.rabbitmq
@pytest.mark.parametrize("exchange", ["nobody-declared-this", "amq.topic"])
async def test_what_nobody_would_get_is_a_failed_try_and_nothing_is_declared(
    bench: Bench, rabbit_url: str, exchange: str
) -> None:
    state = await result_of(bench, ActionSpec("publish", {"exchange": exchange}), rabbit_url)

    assert state.state == "waiting"
    assert exchange in str(state.result)
    assert "guest" not in str(state.result)


async def test_within_one_process_publishing_needs_a_broker_of_ones_own(bench: Bench) -> None:
    state = await result_of(bench, ActionSpec("publish", {"exchange": "tickets"}))

    assert state.state == "dead"
    assert "give the action a url" in str(state.result)


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({}, {("server", "id", "server-1")}),
        ({"of": "all"}, {("server", "id", "server-1"), ("port", "id", "port-1")}),
        ({"of": "all", "kinds": ["port"]}, {("port", "id", "port-1")}),
        ({"of": "nothing", "full_passes": ["volume"]}, {("volume", "kind", "")}),
    ],
)
async def test_a_refresh_asks_for_what_the_event_is_about(
    bench: Bench, settings: dict[str, object], asked: set[tuple[str, str, str]]
) -> None:
    state = await result_of(bench, ActionSpec("refresh", settings))

    rows = await bench.database.fetch("select kind, by, key, cause, why from targets")
    assert state.result == f"{len(asked)} asked for"
    assert {(row["kind"], row["by"], row["key"]) for row in rows} == asked
    assert {(row["cause"], row["why"]) for row in rows} == {("event-1", "rule servers off")}


async def test_a_note_is_on_the_timeline_around_the_same_object(bench: Bench) -> None:
    note = ActionSpec("note", {"text": "{{ event.name }} is off", "level": "critical"})
    state = await result_of(bench, note)

    assert state.result == "noted"
    [row] = await bench.told()
    assert row.type == "osevents.note"
    assert (row.level, row.refs) == ("critical", ("server/server-1", "port/port-1"))
    assert row.payload == {
        "rule": "servers off",
        "event": "event-1",
        "message": "web-1 is off",
    }


async def test_a_firing_is_logged_with_its_fields(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    state = await result_of(bench, ActionSpec("log", {"text": "{{ event.name }} is off"}))

    assert state.result == "logged"
    told = capsys.readouterr().out
    assert "rule_fired" in told
    assert "web-1 is off" in told


async def test_an_async_function_is_called_with_its_arguments(bench: Bench) -> None:
    settings = {"function": f"{MODULE}:greet", "arguments": {"team": "ops"}}

    assert (await result_of(bench, ActionSpec("python", settings))).result == "ops knows of web-1"


async def test_an_object_that_is_called_like_an_async_function_is_awaited(bench: Bench) -> None:
    state = await result_of(bench, ActionSpec("python", {"function": f"{MODULE}:PAGER"}))

    assert (state.state, state.result) == ("done", "paged for web-1")


async def test_a_sync_function_is_called_in_a_thread(bench: Bench) -> None:
    state = await result_of(bench, ActionSpec("python", {"function": f"{MODULE}:in_a_thread"}))

    assert (state.state, state.result) == ("done", "done")


@pytest.mark.parametrize(
    ("function", "deadline", "state", "told"),
    [
        ("refuse", "1m", "dead", "not in my house"),
        ("time_out", "1m", "waiting", "the database of mine"),
        ("hang_politely", "50ms", "waiting", "not done within 50ms"),
        ("greet", "1m", "waiting", "missing 1 required keyword-only argument: 'team'"),
    ],
)
async def test_a_function_that_does_not_do_it_is_told(
    bench: Bench, function: str, deadline: str, state: str, told: str
) -> None:
    settings = {"function": f"{MODULE}:{function}", "deadline": deadline}
    found = await result_of(bench, ActionSpec("python", settings))

    assert found.state == state
    assert told in str(found.result)


async def test_a_thread_that_hangs_is_not_started_again_beside_itself(bench: Bench) -> None:
    functions.CALLS.clear()
    functions.RELEASE.clear()
    settings = {"function": f"{MODULE}:hang", "deadline": "50ms"}
    await bench.put(firing(ActionSpec("python", settings)))
    try:
        async with bench.working():
            await bench.at_rest()
            due_at = await bench.database.fetch_value("select due_at from actions")
            bench.clock.advance(due_at - bench.clock.now())
            await bench.at_rest()
            [state] = await Outbox(bench.database).of_event("prod", "event-1")
    finally:
        functions.RELEASE.set()

    assert len(functions.CALLS) == 1
    assert state.result == "the try before still runs; a thread cannot be stopped"


HANGS = f"""
import asyncio
from services.processor.actions.port import ActionCall, Tools, TryAgain
from services.processor.actions.python import Python
from tests.support.firings import firing

async def main():
    settings = {{"function": "{MODULE}:hang", "deadline": "10ms"}}
    async with Python().open(None) as run:
        fired = firing()
        outcome = await run(
            ActionCall(firing=fired, settings=settings, idempotency_key="key", attempt=1)
        )
        assert outcome == TryAgain("not done within 10ms"), outcome

asyncio.run(main())
"""


async def test_a_thread_that_hangs_does_not_keep_a_process_from_ending() -> None:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", HANGS], timeout=180, check=False
    )

    assert done.returncode == 0


@pytest.fixture(autouse=True)
def no_room_is_imported() -> Iterator[None]:
    """Two packages of that name are made here; neither may stay for the other's test."""
    sys.modules.pop("osevents_room", None)
    yield
    sys.modules.pop("osevents_room", None)


PACKAGE = {
    "pyproject.toml": """\
[project]
name = "osevents-room"
version = "1"
[project.entry-points."osevents.actions"]
room = "osevents_room:ROOM"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "osevents_room.py": """\
from contextlib import asynccontextmanager

from services.processor.actions.port import Done
from shared.errors import Problem


class Room:
    def check(self, settings, place):
        return [] if "name" in settings else [Problem(place, "name: is missing")]

    @asynccontextmanager
    async def open(self, tools):
        async def run(call):
            return Done("told room " + call.settings["name"])

        yield run


ROOM = Room()
""",
}


async def install(directory: Path, files: dict[str, str]) -> Path:
    """Build and install a package as pip would, into a directory of its own."""
    source, target = directory / "source", directory / "site"
    source.mkdir()
    for name, text in files.items():
        (source / name).write_text(text)
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "pip", "install", "--no-deps", "--no-build-isolation", "--offline"]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, "--python", sys.executable, "--target", str(target), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


async def test_an_installed_package_brings_a_kind(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(await install(tmp_path, PACKAGE))
    kinds = known_kinds()

    assert [str(problem) for problem in kinds["room"].check({}, "rule")] == [
        "rule: name: is missing"
    ]
    await bench.put(firing(ActionSpec("room", {"name": "ops"})))
    async with bench.working(bench.worker(kinds=kinds)):
        await bench.at_rest()
    [state] = await Outbox(bench.database).of_event("prod", "event-1")
    assert state.result == "told room ops"


async def test_a_package_whose_kind_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**PACKAGE, "osevents_room.py": "ROOM = 'no kind'\n"}
    broken["pyproject.toml"] = PACKAGE["pyproject.toml"].replace(
        "room = ", 'log = "osevents_room:ROOM"\nroom = '
    )
    monkeypatch.syspath_prepend(await install(tmp_path, broken))

    with pytest.raises(Misconfigured) as caught:
        known_kinds()

    assert [str(problem).partition(": ")[0] for problem in caught.value.problems] == [
        "entry point log = osevents_room:ROOM of osevents.actions",
        "entry point room = osevents_room:ROOM of osevents.actions",
    ]
    assert "it has no method check" in str(caught.value)
