"""`osevents dead`, on a database that a configuration names and beside a running `up`."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.cli.stored import Place
from shared.codec import encode
from shared.dead_letter import DeadLetter
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from tests.support.command_line import Outcome, call, end_of, start
from tests.support.events import NOON, event
from tests.support.waiting import eventually

Call = Callable[..., Awaitable[Outcome]]

EVENT = DeadLetter("processor", "NUL character", "prod", encode(event("lost")), NOON)
BINARY = DeadLetter("catcher", "not JSON", "lab", b"\xff\x1b[2J", NOON, tries=3)
TEXT = DeadLetter("bus", "HTTP is not ours", None, b"GET / HTTP/1.1\x1b", NOON)


@pytest.fixture
def ask(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.delenv("OSEVENTS_DATABASE__URL", raising=False)
    config = tmp_path / "osevents.yaml"
    config.write_text(f"database: {{url: '{database_url}'}}\n")

    async def run(*arguments: str) -> Outcome:
        return await asyncio.to_thread(call, "dead", *arguments, "--config", str(config))

    return run


@pytest.fixture
async def letters(database: Database) -> DeadLetters:
    """Three letters: 1 an event, 2 binary, 3 text."""
    found = DeadLetters(database)
    for letter in (EVENT, BINARY, TEXT):
        await found.keep([letter])
    return found


async def numbers(ask: Call, *filters: str) -> list[int]:
    return [row["number"] for row in (await ask("list", *filters, "--format", "json")).rows]


@pytest.mark.usefixtures("letters")
async def test_letters_are_listed_latest_first_and_filtered(ask: Call) -> None:
    assert await numbers(ask) == [3, 2, 1]
    assert await numbers(ask, "--most", "1", "--before", "3") == [2]
    assert await numbers(ask, "--origin", "catcher") == [2]
    assert await numbers(ask, "--cloud", "prod") == [1]
    assert await numbers(ask, "--reason", "not") == [3, 2]
    assert await numbers(ask, "--since", "2026-11-24") == []


@pytest.mark.usefixtures("letters")
async def test_a_list_tells_reason_first_and_last_time_and_tries(ask: Call) -> None:
    row = (await ask("list", "--origin", "catcher", "--format", "json")).rows[0]

    assert row["reason"] == "not JSON"
    assert row["first"] == row["last"] == "2026-11-23T12:00:00Z"
    assert row["tries"] == 3


@pytest.mark.usefixtures("letters")
async def test_a_letter_is_shown_whole_and_cannot_harm_the_terminal(ask: Call) -> None:
    shown = (await ask("show", "1", "2", "3")).out

    assert '"id": "lost"' in shown
    assert "NUL character" in shown
    assert "\\xff\\x1b[2J" in shown
    assert "GET / HTTP/1.1\\x1b" in shown
    assert "\x1b" not in shown


@pytest.mark.usefixtures("letters")
async def test_programs_get_the_message_as_json_text_or_hexadecimal(ask: Call) -> None:
    rows = (await ask("show", "1", "2", "3", "--format", "json")).rows

    assert rows[0]["message"]["id"] == "lost"
    assert rows[1]["hex"] == "ff1b5b324a"
    assert rows[2]["text"] == "GET / HTTP/1.1\x1b"


async def test_dropped_letters_are_gone(ask: Call, letters: DeadLetters) -> None:
    assert len((await ask("drop", "1", "--format", "json")).rows) == 1
    assert await numbers(ask) == [3, 2]
    assert len((await ask("drop", "--all", "--origin", "bus", "--format", "json")).rows) == 1
    assert await numbers(ask) == [2]
    assert len((await ask("drop", "--all", "--format", "json")).rows) == 1
    assert await letters.find() == []


async def test_a_retry_without_a_processor_waits_and_says_for_whom(
    ask: Call, letters: DeadLetters
) -> None:
    outcome = await ask("retry", "--all", "--wait", "0", "--format", "json")

    assert {row["number"] for row in outcome.rows} == {1, 2, 3}
    assert all("a running processor" in row["result"] for row in outcome.rows)
    assert all(kept.asked_for for kept in await letters.find())


async def test_a_retry_tells_what_came_of_each_letter(ask: Call, letters: DeadLetters) -> None:
    async def be_the_processor() -> None:
        async def asked() -> bool:
            return len([kept for kept in await letters.find() if kept.asked_for]) == 2

        await eventually(asked, what="two letters are asked for")
        for kept in await letters.get([1, 2]):
            if kept.number == 1:
                await letters.returned(kept, now=NOON)
            else:
                now = event().time.replace(hour=13)
                await letters.died_again(kept, "still not JSON", now=now)

    async with asyncio.TaskGroup() as group:
        group.create_task(be_the_processor())
        outcome = await ask("retry", "1", "2", "--wait", "60s", "--format", "json")

    assert {row["number"]: row["result"] for row in outcome.rows} == {
        1: "sent back",
        2: "died again: still not JSON",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "99"], "there is no dead letter 99; `osevents dead list` has them"),
        (["retry"], "give the NUMBERs of letters, or --all"),
        (["drop", "1", "--all"], "give the NUMBERs of letters, or --all"),
        (["drop", "1", "--origin", "bus"], "filters go with --all"),
        (["show"], "Missing argument 'NUMBER...'"),
        (["list", "--since", "soon"], "is neither a time"),
    ],
)
@pytest.mark.usefixtures("letters")
async def test_a_wrong_call_changes_nothing_and_is_one_line(
    ask: Call, arguments: list[str], told: str
) -> None:
    outcome = await ask(*arguments)

    assert outcome.code == 2
    [line] = outcome.err.splitlines()
    assert told in line
    assert await numbers(ask) == [3, 2, 1]


@pytest.mark.acceptance
async def test_beside_a_running_up_a_letter_goes_back_through_the_database() -> None:
    data = Path(tempfile.mkdtemp(prefix="osevents-"))
    up = start("up", "--simulate", "--data", str(data), environment={"OSEVENTS_HTTP__PORT": "off"})
    try:

        async def migrated() -> bool:
            with contextlib.suppress(Exception):  # whatever is not there yet
                async with Place(None, data).database() as database:
                    return await DeadLetters(database).keep([EVENT]) == 1
            return False

        await eventually(migrated, what="the database is there", seconds=60)
        retried = await asyncio.to_thread(
            call, "dead", "retry", "--all", "--wait", "30s", "--data", str(data), "--format", "json"
        )
        assert [row["result"] for row in retried.rows] == ["sent back"]
        shown = await asyncio.to_thread(
            call, "events", "--cloud", "prod", "--data", str(data), "--format", "json"
        )
        assert [row["id"] for row in shown.rows] == ["lost"]
    finally:
        up.send_signal(signal.SIGTERM)
        await asyncio.to_thread(end_of, up)
        shutil.rmtree(data, ignore_errors=True)
