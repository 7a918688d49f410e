"""Where the looking commands find the data, when they are called as the services are started."""

import asyncio
from pathlib import Path

import pytest

from shared.dead_letter import DeadLetter
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from tests.support.command_line import Outcome, call
from tests.support.events import NOON

URL = "OSEVENTS_DATABASE__URL"


@pytest.fixture(autouse=True)
async def letter(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one dead letter into the database, and go where there is nothing else."""
    await DeadLetters(database).keep([DeadLetter("bus", "not JSON", "prod", b"{", NOON)])
    monkeypatch.chdir(tmp_path)


async def ask(*arguments: str) -> Outcome:
    return await asyncio.to_thread(call, *arguments)


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "events",
        "inventory port",
        "dead list",
        "refresh --full --no-wait",
        "rules test builtin:day-one",
    ],
)
async def test_the_environment_alone_says_where(
    database_url: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert (await ask(*command.split())).code == 2
    monkeypatch.setenv(URL, database_url)
    assert (await ask(*command.split())).code == 0


async def test_a_file_that_the_environment_names_says_where(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(f"{database_url}\n")
    monkeypatch.setenv(f"{URL}_FILE", str(tmp_path / "url"))
    assert len((await ask("dead", "list", "--format", "json")).rows) == 1


async def test_the_environment_comes_before_the_configuration(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "osevents.yaml"
    config.write_text("database: {url: 'postgresql://nobody@127.0.0.1:1/none'}\n")
    monkeypatch.setenv(URL, database_url)
    outcome = await ask("dead", "list", "--config", str(config), "--format", "json")
    assert len(outcome.rows) == 1


async def test_a_directory_that_is_given_comes_before_the_environment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, database_url)
    outcome = await ask("status", "--data", "elsewhere")
    assert outcome.code == 2
    assert "there is no osevents data in 'elsewhere'" in outcome.err


async def test_a_mistake_in_the_environment_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URL, "mysql://db/osevents")
    outcome = await ask("status")
    assert outcome.code == 2
    assert URL in outcome.err
