"""`osevents rules test` and `why` over a stored timeline, as a user calls them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.processor.actions.kinds import known_kinds
from services.processor.rules.load import load_rules, read_sources
from shared.event import Event, Flavour
from shared.store.database import Database
from tests.support.command_line import Outcome, call
from tests.support.events import event, server
from tests.support.ruling import Ruled, fired

RULES = """
rules:
  - name: often
    match: {types: "compute.instance.*", level: critical}
    key: subject
    throttle: {most: 2, within: 1h}
    actions: [log: ]
  - name: odd
    match: {types: "compute.instance.*"}
    condition: payload.nosuch == 1
    actions: [log: ]
  - name: other
    match: {types: "volume.*"}
    actions: [log: ]
  - {name: idle, enabled: false, actions: [log: ]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


@pytest.fixture
def config(folder: Path, database_url: str) -> Path:
    path = folder / "osevents.conf"
    path.write_text(f"rules: {folder}/rules.yaml\ndatabase: {{url: '{database_url}'}}\n")
    return path


def happened(count: int) -> list[Event]:
    """Return events of two servers, a second apart, from an hour ago."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    return [
        event(
            f"e{number}",
            time=begin + timedelta(seconds=number),
            subjects=(server(f"s{number % 2}"),),
            flavour=Flavour.CADF,
        )
        for number in range(count)
    ]


async def store(database: Database, folder: Path, events: Sequence[Event]) -> None:
    ruled = Ruled(database, load_rules(read_sources([f"{folder}/rules.yaml"]), known_kinds()))
    for item in events:
        await ruled.write([item], item.time)


async def ask(*arguments: str) -> Outcome:
    return await asyncio.to_thread(call, "rules", *arguments)


async def test_a_test_says_what_fired_and_what_kept_the_rest(
    database: Database, folder: Path, config: Path
) -> None:
    await store(database, folder, happened(10))

    outcome = await ask("test", "--config", str(config), "--format", "json")

    rows = {row["rule"]: row for row in outcome.rows}
    assert list(rows) == ["often", "odd", "other"]
    assert (rows["often"]["fired"], rows["often"]["keys"]) == (4, 2)
    assert rows["often"]["why_not"] == "throttle 6"
    assert rows["odd"]["errors"] == 10
    assert rows["other"]["fired"] == 0
    really = await fired(database)
    outcome = await ask("test", "--config", str(config), "--firings", "--format", "json")
    tested = sorted((row["rule"], row["key"], row["event"]) for row in outcome.rows)
    assert tested == really


async def test_rules_of_another_place_are_tried_and_nothing_runs(
    database: Database, folder: Path, config: Path
) -> None:
    await store(database, folder, happened(4))
    before = await fired(database)

    outcome = await ask(
        "test", "builtin:manageiq", "--since", "2h", "--config", str(config), "--format", "json"
    )

    rows = {row["rule"]: row["fired"] for row in outcome.rows}
    assert rows["manageiq.vm_poweroff"] == 4
    assert await fired(database) == before


async def test_why_says_the_first_thing_that_did_not_hold(
    database: Database, folder: Path, config: Path
) -> None:
    await store(database, folder, happened(10))

    outcome = await ask("why", "e9", "--all", "--config", str(config), "--format", "json")

    said = {row["rule"]: (row["outcome"], row["detail"]) for row in outcome.rows}
    assert said == {
        "often": ("throttle", ""),
        "odd": ("error", "there is no 'nosuch' in it"),
        "other": ("type", "the event is compute.instance.power_off.end"),
        "idle": ("disabled", ""),
    }


async def test_an_unknown_event_is_told_with_the_way_out(config: Path) -> None:
    outcome = await ask("why", "nosuch", "--config", str(config))

    assert outcome.code == 2
    assert "no event 'nosuch' is on the timeline" in outcome.err
