"""`osevents inventory` and `changes`: what is, what was, and what happened around it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory
from tests.support.command_line import Outcome, call

EVENT = Cause(CauseKind.EVENT, "event-1")
OF_WEB = {"device_id": "web-1", "device_owner": "compute:nova"}


class Terminal:
    """Calls commands on one database."""

    def __init__(self, config: Path) -> None:
        self.config = config

    async def ask(self, *arguments: str) -> Outcome:
        return await asyncio.to_thread(call, *arguments, "--config", str(self.config))

    async def ids(self, *arguments: str) -> list[str]:
        return [row["id"] for row in (await self.ask(*arguments, "--format", "json")).rows]


@pytest.fixture
def terminal(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("OSEVENTS_DATABASE__URL", raising=False)
    config = tmp_path / "osevents.yaml"
    config.write_text(f"database: {{url: '{database_url}'}}\n")
    return Terminal(config)


async def write(
    database: Database, at: datetime, kind: str, id_: str, status: str = "ACTIVE", **object_: str
) -> None:
    told = {"id": id_, "name": id_, "status": status, "project_id": "p", **object_}
    told |= {"tenant_id": "p"}
    seen = Snapshot(ResourceRef("prod", kind, id_), id_, "p", status, told, at)
    await Inventory(database).write([seen], EVENT)


@pytest.fixture
async def filled(database: Database, now: datetime) -> Database:
    """A server that was stopped, its port, a port of its project, and one that was deleted."""

    def ago(minutes: int) -> datetime:
        return now - timedelta(minutes=minutes)

    await write(database, ago(60), "server", "web-1")
    await write(database, ago(60), "port", "of-web-1", **OF_WEB)
    await write(database, ago(60), "port", "gone", device_id="")
    await write(database, ago(31), "port", "of-web-1", "DOWN", **OF_WEB)
    await write(database, ago(30), "server", "web-1", "SHUTOFF")
    await write(database, ago(29), "port", "new", device_id="")
    gone = {ResourceRef("prod", "port", "gone"): ago(20)}
    await Inventory(database).delete(gone, EVENT)
    return database


@pytest.mark.usefixtures("filled")
async def test_what_is_wanted_is_shown(terminal: Terminal) -> None:
    assert await terminal.ids("inventory", "port") == ["new", "of-web-1"]
    assert await terminal.ids("inventory", "port", "--deleted") == ["gone", "new", "of-web-1"]
    assert await terminal.ids("inventory", "port", "--status", "down") == ["of-web-1"]
    assert await terminal.ids("inventory", "port", "--name", "of-*") == ["of-web-1"]
    assert await terminal.ids("inventory", "port", "--project", "q") == []
    assert await terminal.ids("inventory", "port", "--most", "1") == ["new"]
    assert await terminal.ids("inventory", "port", "--cloud", "other") == []


async def test_all_rows_come_however_many(
    terminal: Terminal, database: Database, now: datetime
) -> None:
    refs = [ResourceRef("prod", "port", f"{number:05}") for number in range(2500)]
    seen = [Snapshot(ref, None, None, None, {"id": ref.id}, now) for ref in refs]
    await Inventory(database).write(seen, EVENT)

    assert await terminal.ids("inventory", "port", "--all") == [ref.id for ref in refs]
    assert len(await terminal.ids("inventory", "port", "--most", "1500")) == 1500


@pytest.mark.usefixtures("filled")
async def test_the_inventory_of_an_earlier_time(terminal: Terminal) -> None:
    rows = (await terminal.ask("inventory", "port", "--at", "40m", "--format", "json")).rows
    assert [(row["id"], row["status"]) for row in rows] == [
        ("gone", "ACTIVE"),
        ("of-web-1", "ACTIVE"),
    ]
    earlier = ("inventory", "port", "--at", "40m", "--status", "ACTIVE", "--name", "of*")
    assert await terminal.ids(*earlier) == ["of-web-1"]


@pytest.mark.usefixtures("filled")
async def test_an_object_as_it_was(terminal: Terminal) -> None:
    command = ("changes", "server", "web-1", "--at", "45m")
    [row] = (await terminal.ask(*command, "--format", "json")).rows
    assert (row["status"], row["object"]["status"]) == ("ACTIVE", "ACTIVE")
    lines = (await terminal.ask(*command)).out.splitlines()
    assert ["status", "ACTIVE"] in [line.split() for line in lines]


@pytest.mark.usefixtures("filled")
async def test_what_else_changed_around_then(terminal: Terminal) -> None:
    command = ("changes", "server", "web-1", "--around", "5m", "--format", "json")
    rows = (await terminal.ask(*command)).rows

    assert [(row["kind"], row["id"], row["related"]) for row in rows] == [
        ("port", "of-web-1", "link"),
        ("server", "web-1", "link"),
    ]
    at_first = (await terminal.ask(*command, "--at", "1h")).rows
    assert {row["id"] for row in at_first} == {"web-1", "of-web-1"}


@pytest.mark.usefixtures("filled")
async def test_around_what_is_linked_with_nothing_are_those_of_its_project(
    terminal: Terminal,
) -> None:
    rows = (await terminal.ask("changes", "port", "new", "--around", "5m", "--format", "json")).rows

    assert {(row["id"], row["related"]) for row in rows} == {
        ("new", "link"),
        ("web-1", "project"),
        ("of-web-1", "project"),
    }


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("inventory", "port", "--at", "3h"), "the history of prod begins at"),
        (("inventory", "port", "--at", "2h", "--deleted"), "--deleted is about now"),
        (("inventory", "port", "--at", "2099-01-01"), "2099-01-01 00:00:00 UTC is yet to come"),
        (("inventory", "port", "--at", "soon"), "'soon' is neither a time"),
        (("changes", "port", "new", "--at", "50m"), "nothing is known of port/new living at"),
        (("changes", "port", "new", "--around", "soon"), "soon"),
        (("inventory", "dragon"), "there is no kind 'dragon'"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    terminal: Terminal, arguments: tuple[str, ...], told: str
) -> None:
    outcome = await terminal.ask(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    assert told in line
