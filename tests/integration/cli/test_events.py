"""Looking at and asking of a database that a configuration names."""

import asyncio
import csv
import io
import json
import signal
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.refresher.budget import HEARTBEAT, figures
from services.refresher.permits import Denial
from services.refresher.resources import ALL
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.openstack.breaker import Opened
from shared.openstack.sending import Budget
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.passes import FullPasses, PassFigures, PassState
from shared.store.status import Heartbeats
from shared.store.targets import TargetQueue
from shared.store.timeline import Timeline
from tests.support.command_line import Outcome, call, end_of, start
from tests.support.events import event, server

Call = Callable[..., Coroutine[Any, Any, Outcome]]
LOOKING = (
    ("events",),
    ("events", "--object", "server/server-1"),
    ("inventory", "server"),
    ("inventory", "server", "--deleted"),
    ("changes", "server", "server-1"),
    ("status",),
)


def calling(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.delenv("OSEVENTS_DATABASE__URL", raising=False)
    config = directory / "osevents.yaml"
    config.write_text(f"database: {{url: '{url}'}}\n")

    async def ask(*arguments: str) -> Outcome:
        return await asyncio.to_thread(call, *arguments, "--config", str(config))

    return ask


@pytest.fixture
def ask(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a command on a fresh database."""
    return calling(database_url, tmp_path, monkeypatch)


@pytest.fixture
async def filled(database: Database, now: datetime) -> Database:
    """A little of everything."""
    await Timeline(database).append(
        [event(f"event-{n}", time=now - timedelta(seconds=n)) for n in range(3)], recorded_at=now
    )
    inventory = Inventory(database)
    for at, name in ((now - timedelta(minutes=1), "old [name]"), (now, "new [name]")):
        seen = Snapshot(server(), name, "project-1", "ACTIVE", {"name": name}, at)
        await inventory.write([seen], Cause(CauseKind.EVENT, "event-1"))
    await DeadLetters(database).keep([DeadLetter("catcher", "not JSON", "prod", b"x", now)])
    return database


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
@pytest.mark.usefixtures("filled")
async def test_json_is_one_object_a_line_and_nothing_else(
    ask: Call, command: tuple[str, ...]
) -> None:
    outcome = await ask(*command, "--format", "json")

    assert outcome.rows
    assert outcome.err == ""


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
@pytest.mark.usefixtures("filled")
async def test_a_table_has_as_many_lines_as_rows(ask: Call, command: tuple[str, ...]) -> None:
    rows = (await ask(*command, "--format", "json")).rows
    outcome = await ask(*command)

    assert outcome.code == 0
    assert outcome.err == ""
    assert len(outcome.out.splitlines()) == 1 + len(rows)


@pytest.mark.usefixtures("filled")
async def test_what_is_in_brackets_is_shown_as_it_is(ask: Call) -> None:
    assert "new [name]" in (await ask("inventory", "server")).out


@pytest.mark.usefixtures("filled")
async def test_events_are_filtered(ask: Call, now: datetime) -> None:
    async def count(*options: str) -> int:
        return len((await ask("events", "--format", "json", *options)).rows)

    assert await count() == 3
    assert await count("--most", "2") == 2
    assert await count("--type", "compute.*") == 3
    assert await count("--type", "network.*") == 0
    assert await count("--object", "server/server-2") == 0
    assert await count("--until", f"{now - timedelta(seconds=1):%Y-%m-%d %H:%M:%S}") <= 2
    assert await count("--cloud", "other") == 0


@pytest.mark.usefixtures("filled")
async def test_events_are_filtered_by_everything_at_once(ask: Call) -> None:
    given = (
        "--cloud prod --type a.* --type compute.* --category power --level critical --level detail"
        " --object server/server-1 --service compute --text power --no-synthetic --since 1h --once"
    )

    assert len((await ask("events", "--format", "json", *given.split())).rows) == 3
    for more in ("--state active", "--host h", "--project p", "--user u", "--request r"):
        assert (await ask("events", "--format", "json", *given.split(), *more.split())).rows == []
    assert (await ask("events", "--format", "json", "--kind", "port")).rows == []
    assert (await ask("events", "--format", "json", "--synthetic")).rows == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("events --kind servr", "no events have kind 'servr'; did you mean server?"),
        ("events --category powr", "no events have category 'powr'; did you mean power?"),
        ("events --service x", "no events have service 'x'; there are compute"),
        ("events --cloud qa --buckets 1h", "no events have cloud 'qa'; there are prod"),
        ("inventory server --cloud qa", "no objects have cloud 'qa'; there are prod"),
    ],
)
@pytest.mark.usefixtures("filled")
async def test_a_word_that_nothing_ever_had_is_told(ask: Call, command: str, told: str) -> None:
    outcome = await ask(*command.split())

    assert outcome.code == 0
    assert sorted(outcome.err.splitlines()) == ["nothing", f"osevents: {told}"]


@pytest.mark.usefixtures("filled")
async def test_what_is_only_named_by_events_is_no_mistyped_kind(ask: Call) -> None:
    assert (await ask("events", "--object", "image/7")).err == "nothing\n"


@pytest.mark.usefixtures("filled")
async def test_pages_go_on_where_one_ended(ask: Call) -> None:
    first = await ask("events", "--format", "json", "--most", "2", "--oldest")
    told, cursor = first.err.strip().split(": --after ")
    rest = await ask("events", "--format", "json", "--oldest", "--all", "--after", cursor)

    assert told == "there may be more"
    assert [row["id"] for row in first.rows + rest.rows] == ["event-2", "event-1", "event-0"]
    assert rest.err == ""


@pytest.mark.usefixtures("filled")
async def test_events_are_counted_in_buckets(ask: Call) -> None:
    rows = (await ask("events", "--format", "json", "--buckets", "1d", "--by", "level")).rows

    assert {row["level"] for row in rows} == {"critical"}
    assert sum(row["count"] for row in rows) == 3
    assert {"begins", "level", "count"} == set(rows[0])


@pytest.mark.usefixtures("filled")
async def test_around_an_object_shows_its_own_events_too(ask: Call) -> None:
    rows = (await ask("events", "--format", "json", "--around", "server/server-1")).rows

    assert len(rows) == 3


async def test_csv_is_read_back_and_holds_no_formula(
    ask: Call, filled: Database, now: datetime
) -> None:
    name = "=cmd('x'), \"quoted\"\nand a \u5bbd name\x1b[2J"
    await Timeline(filled).append([event("evil", name=name, time=now)], recorded_at=now)

    outcome = await ask("events", "--format", "csv", "--all")

    rows = list(csv.DictReader(io.StringIO(outcome.out, newline="")))
    assert outcome.err == ""
    assert [row["id"] for row in rows][:2] == ["evil", "event-0"]
    assert rows[0]["name"] == "'" + name.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    assert json.loads(rows[0]["payload"]) == {"instance_id": "server-1"}
    assert datetime.fromisoformat(rows[0]["time"]) == now


async def test_an_export_is_as_long_as_the_timeline(
    ask: Call, database: Database, now: datetime
) -> None:
    await Timeline(database).append(
        [event(f"event-{n}", time=now - timedelta(seconds=n % 7)) for n in range(2300)],
        recorded_at=now,
    )

    rows = (await ask("events", "--format", "json", "--all")).rows
    table = await ask("events", "--all")

    assert len({row["id"] for row in rows}) == 2300
    assert len(table.out.splitlines()) == 1 + 2300


async def test_following_shows_what_is_written_until_interrupted(
    database_url: str, filled: Database, tmp_path: Path, now: datetime
) -> None:
    environment = {"OSEVENTS_DATABASE__URL": database_url}
    config = tmp_path / "osevents.yaml"
    config.write_text("{}")
    process = start(
        "events", "--follow", "--format", "json", "--config", str(config), environment=environment
    )
    assert process.stdout is not None
    try:
        lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(3)]
        late = event("late", time=now - timedelta(days=30))
        await Timeline(filled).append([late], recorded_at=now)
        lines.append(await asyncio.to_thread(process.stdout.readline))
        process.send_signal(signal.SIGINT)
        outcome = await asyncio.to_thread(end_of, process)
    finally:
        process.kill()

    assert [json.loads(line)["id"] for line in lines] == ["event-2", "event-1", "event-0", "late"]
    assert outcome == Outcome(0, "", "")


@pytest.mark.usefixtures("filled")
async def test_a_change_names_its_cause(ask: Call) -> None:
    rows = (await ask("changes", "server", "server-1", "--format", "json")).rows

    assert {row["cause"] for row in rows} == {"event event-1"}
    assert [row["new"] for row in rows if row["field"] == "name"] == ["new [name]"]


async def test_an_empty_database_is_nothing_and_no_mistake(ask: Call) -> None:
    for command in (("events",), ("inventory", "floating_ip"), ("inventory", "server")):
        assert await ask(*command) == Outcome(0, "", "nothing\n")
        assert await ask(*command, "--format", "json") == Outcome(0, "", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("inventory", "dragon"), "there is no kind 'dragon'; the kinds: aggregate, attachment"),
        (("inventory", "server", "--project", "\udcff"), "nothing can have such a value"),
        (("events", "--host", "\x00"), "nothing can have such a value"),
        (("changes", "sever", "id"), "there is no kind 'sever'; did you mean server?"),
        (("events", "--since", "1h", "--until", "2h"), "is not before --until"),
        (("events", "--within", "5m"), "--within says how far --around looks; give --around"),
        (("events", "--by", "level"), "--by divides what --buckets counts; give --buckets"),
        (("changes", "server", "nope"), "no server with id 'nope' was ever seen"),
        (
            ("events", "--object", "server"),
            "'--object': takes KIND/ID, as in server/5f3c..., not 'se",
        ),
        (("events", "--object", "/5"), "'--object': takes KIND/ID"),
        (("events", "--since", "yesterday"), "neither a time, as 2026-11-23T18:00, nor how long"),
        (("events", "--after", "here"), "'here' is no cursor; take the one that a page ends with"),
        (("events", "--text", "---"), "--text '---' holds no word to look for"),
        (("events", "--all", "--most", "3"), "--all and --most say different things"),
        (("events", "--follow", "--oldest"), "--follow goes with none of --all, --after and"),
        (("events", "--buckets", "0"), "--buckets 0 has no length; write for example 1h"),
        (("events", "--buckets", "1h", "--most", "3"), "--buckets goes with neither --follow nor"),
        (("events", "--object", "a/b", "--around", "a/b"), "--around includes what --object shows"),
        (("events", "--object", "a/b", "--kind", "a"), "leave it out with an object"),
        (("events", "--around", "a/b", "--follow"), "--around looks at what has happened"),
        (("refresh",), "give KIND and ID, or --full with or without KIND"),
        (("refresh", "server"), "give KIND and ID, or --full"),
        (("refresh", "server", "id", "--full"), "give KIND and ID, or --full"),
        (("refresh", "dragon", "id"), "kind 'dragon' cannot be refreshed; the kinds: server"),
        (("refresh", "--full", "--cloud", "moon"), "cloud 'moon' has no inventory yet"),
    ],
)
@pytest.mark.usefixtures("filled")
async def test_what_is_not_there_is_told_in_one_line(
    ask: Call, arguments: tuple[str, ...], told: str
) -> None:
    outcome = await ask(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    assert told in line


async def test_refresh_asks_for_one_object_in_a_persons_name(ask: Call, filled: Database) -> None:
    rows = (await ask("refresh", "server", "server-9", "--format", "json")).rows

    assert rows == [{"cloud": "prod", "kind": "server", "what": "server-9"}]
    [claimed] = await TargetQueue(filled).claim(
        cloud="prod",
        worker="test",
        most=10,
        now=SystemClock().now(),
        lease=timedelta(seconds=1),
    )
    assert (claimed.target.kind, claimed.target.key) == ("server", "server-9")
    cause = Cause.parse(claimed.target.cause)
    assert cause.kind is CauseKind.REQUEST
    assert str(UUID(cause.id)) == cause.id


async def test_refresh_asks_for_full_passes(ask: Call, filled: Database) -> None:
    one = (await ask("refresh", "port", "--full", "--no-wait", "--format", "json")).rows
    every = (await ask("refresh", "--full", "--no-wait", "--format", "json")).rows

    assert one == [{"cloud": "prod", "kind": "port", "what": "full pass"}]
    assert {row["kind"] for row in every} == set(ALL)
    asked = await FullPasses(filled).latest()
    assert sorted(one.kind for one in asked) == sorted(ALL), "a second request adds nothing"
    assert {one.asked_by for one in asked} == {"request"}


@pytest.mark.usefixtures("filled")
async def test_nobody_waits_for_full_passes_that_nobody_makes(ask: Call) -> None:
    outcome = await ask("refresh", "port", "--full")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("osevents: no refresher is running: the full passes wait until")


async def test_refresh_waits_for_full_passes_and_tells_of_them(ask: Call, filled: Database) -> None:
    # Who was not seen for some seconds is taken for gone, and this refresher shows itself once.
    seen = SystemClock().now() + timedelta(minutes=10)
    await Heartbeats(filled).report("refresher", "test", {}, now=seen)

    async def make(state: PassState, error: str | None) -> None:
        passes = FullPasses(filled)
        claimed, now = None, SystemClock().now()
        while claimed is None:
            now = SystemClock().now()
            claimed = await passes.claim(
                cloud="prod", worker="test", now=now, lease=timedelta(seconds=9)
            )
        figures = PassFigures(pages=3, seen=2500, created=1, changed=2, vanished=3)
        await passes.finish(claimed, figures, now=now, state=state, error=error)

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask("refresh", "port", "--full", "--format", "json"))
        await make(PassState.DONE, None)
    [row] = asking.result().rows
    assert (row["kind"], row["state"], row["seen"], row["vanished"]) == ("port", "done", 2500, 3)

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask("refresh", "port", "--full", "--format", "json"))
        await make(PassState.FAILED, "403 from neutron")
    assert asking.result().code == 1
    assert "1 of 1 full passes failed: port of prod" in asking.result().err


async def test_status_tells_of_dead_letters(ask: Call, filled: Database, now: datetime) -> None:
    await Inventory(filled).delete({ResourceRef("prod", "server", "server-1"): now}, PASSED)
    rows = (await ask("status", "--format", "json")).rows

    told = {(row["about"], row["what"]): row["value"] for row in rows}
    assert told["prod", "dead letters of catcher"] == 1
    assert told["prod", "inventory of server"] == 0
    assert told["catcher", "copies alive"] == 0


async def test_status_tells_what_is_left_alone_and_what_is_not_permitted(
    ask: Call, filled: Database, now: datetime
) -> None:
    opened = Opened(now, "503 busy", now + timedelta(seconds=5))
    budgets = {"network": Budget(calls=7, under_way=1, waiting=2, opened=opened)}
    denials: dict[str, Denial] = {
        Kind.PROJECT: Denial(now, now + timedelta(minutes=10), "403 not you")
    }
    known = figures(budgets, denials, {"volume", "server"})
    await Heartbeats(filled).report(
        HEARTBEAT, "copy-1", known, now=SystemClock().now(), cloud="prod"
    )

    rows = (await ask("status", "--format", "json")).rows

    told = {row["what"]: row["value"] for row in rows if row["about"] == "prod (copy-1)"}
    assert told["API of network"].startswith(
        f"7 calls, 1 under way, 2 waiting for their budget; left alone since {now.isoformat()}"
    )
    assert told["API of network"].endswith("503 busy")
    assert told["project may not be read"].endswith("403 not you")
    assert told["own project only"] == "server, volume"


PASSED = Cause(CauseKind.FULL_PASS, "pass-1")


async def test_migrate_does_its_work_once(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = calling(empty_database_url, tmp_path, monkeypatch)

    behind = await ask("events")
    first, second = await ask("migrate"), await ask("migrate")

    assert behind.code == 2
    assert "osevents migrate" in behind.err
    assert len(behind.err.splitlines()) == 1
    assert first.code == second.code == 0
    assert first.out.startswith("applied 0001")
    assert second.out == "the database is at this version already\n"
    assert await ask("events") == Outcome(0, "", "nothing\n")


@pytest.mark.parametrize("command", ["events", "status", "migrate"])
async def test_a_database_that_is_away_is_a_failure_told_in_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = calling("postgresql://osevents:open-sesame@127.0.0.1:1/osevents", tmp_path, monkeypatch)

    outcome = await ask(command)

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 1
    assert "open-sesame" not in outcome.err
