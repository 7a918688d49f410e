"""Commands on a host whose clock is ahead by hours ask and look by the database's time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from services.refresher.resources import ALL
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.snapshot import Cause, CauseKind
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.server_time import follow
from shared.store.status import Heartbeats
from shared.store.targets import TargetQueue
from tests.support.command_line import Outcome, call
from tests.support.events import NOON

HOURS, HOUR = timedelta(hours=3), timedelta(hours=1)

Call = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def ask(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return how to call a command here, where it is three hours later."""
    config = tmp_path / "osevents.yaml"
    config.write_text(f"database: {{url: '{database_url}'}}\n")
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + HOURS)

    async def run(*arguments: str) -> Outcome:
        return await asyncio.to_thread(
            call, *arguments, "--config", str(config), "--format", "json"
        )

    return run


@pytest.fixture
async def soon(database: Database) -> datetime:
    """Return a moment by the database's time that is later than the end of this test."""
    return (await follow(database, monotonic)).now() + HOUR


async def test_what_is_asked_for_is_due_at_once(
    ask: Call, database: Database, soon: datetime
) -> None:
    known = ALL["port"].snapshot("prod", {"id": "a"}, observed_at=NOON)
    await Inventory(database).write([known], Cause(CauseKind.EVENT, "e1"))

    assert len((await ask("refresh", "port", "a")).rows) == 1

    claim = TargetQueue(database).claim
    claimed = await claim(cloud="prod", worker="copy", most=9, now=soon, lease=HOUR)
    assert [each.target.key for each in claimed] == ["a"]


async def test_a_letter_that_is_to_go_back_goes_at_once(
    ask: Call, database: Database, soon: datetime
) -> None:
    letters = DeadLetters(database)
    await letters.keep([DeadLetter("bus", "not JSON", "prod", b"{", NOON)])

    assert len((await ask("dead", "retry", "1", "--wait", "0")).rows) == 1

    assert [each.number for each in await letters.claim(most=9, now=soon, lease=HOUR)] == [1]


async def test_copies_that_live_are_seen_to(ask: Call, database: Database, soon: datetime) -> None:
    await Heartbeats(database).report("refresher", "copy", {}, now=soon)

    rows = (await ask("status")).rows

    alive = {row["about"]: row["value"] for row in rows if row["what"] == "copies alive"}
    assert alive["refresher"] == 1


async def test_a_time_that_is_yet_to_come_has_no_inventory(ask: Call, soon: datetime) -> None:
    outcome = await ask("inventory", "port", "--at", soon.isoformat())

    assert outcome.code == 2
    assert "is yet to come" in outcome.err
