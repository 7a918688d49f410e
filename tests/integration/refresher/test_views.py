"""The typed views show what the objects hold, for every object of a whole cloud."""

import json
import re
from datetime import UTC, datetime
from ipaddress import ip_interface
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from services.refresher.resources import ALL
from services.simulator.app import Simulator
from services.simulator.settings import Service, SimulatorSettings
from shared.snapshot import Cause, CauseKind
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.views import Column, described, view_of
from tests.support.clocks import FixedClock

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "inventory.md"
CAUSE = Cause(CauseKind.EVENT, "e")


async def fill(database: Database) -> None:
    """Write every object of a simulated cloud."""
    clock, inventory = FixedClock(), Inventory(database)
    async with Simulator.open(
        SimulatorSettings(servers=60, rate=0, seed=7, services=get_args(Service)),
        clock=clock,
        random=Random(1),
    ) as simulator:
        for kind, resource in ALL.items():
            snapshots = [
                resource.snapshot("prod", resource.shape(item), observed_at=clock.now())
                for item in simulator.truth(kind).values()
            ]
            await inventory.write(snapshots, CAUSE)


def walked(value: Any, path: str) -> Any:
    for step in path.split("/"):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def expected(column: Column, item: dict[str, Any]) -> Any:
    """Return what a column is to show of an object, by another way than the views'."""
    found = [walked(item, path) for path in column.paths]
    value = next((one for one in found if one not in (None, "")), None)
    if value is None or column.type == "jsonb":
        return value
    match column.type:
        case "integer":
            return int(value)
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}[value]
        case "timestamptz":
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case "inet":
            return ip_interface(value)
        case _:
            return str(value)


def seen(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type == "jsonb":
        return json.loads(value)
    return ip_interface(str(value)) if column.type == "inet" else value


async def test_every_column_of_every_view_equals_what_the_objects_hold(database: Database) -> None:
    await fill(database)
    empty, wrong = [], []
    for kind, columns in described().items():
        rows = await database.fetch(f'select * from inventory."{view_of(kind)}"')
        empty += [] if rows else [kind]
        for row in rows:
            item = json.loads(row["object"])
            wrong += [
                (kind, column.name, row[column.name], expected(column, item))
                for column in columns
                if seen(column, row[column.name]) != expected(column, item)
            ]
    assert (empty, wrong) == ([], [])


async def test_views_show_what_lives_and_since_when(database: Database) -> None:
    inventory, clock = Inventory(database), FixedClock()
    resource = ALL["network"]
    first = resource.snapshot("prod", {"id": "n", "name": "lan"}, observed_at=clock.now())
    await inventory.write([first], CAUSE)
    begun = clock.now()
    [row] = await database.fetch("select * from inventory.networks")
    assert (row["name"], row["first_seen"], row["last_seen"]) == ("lan", begun, begun)
    await inventory.delete({first.ref: clock.now()}, CAUSE)
    assert await database.fetch("select * from inventory.networks") == []


@pytest.mark.parametrize(
    "item",
    [
        {
            "id": "s",
            "accessIPv4": "no address",
            "created": "2026-13-45T99:00:00Z",
            "locked": "maybe",
        },
        {"id": "s", "flavor": "a text", "power_state": [], "created": 7, "launched": {}},
        {"id": "s", "flavor": {"vcpus": "many", "ram": 1e300}, "OS-EXT-STS:power_state": 1.5},
    ],
)
async def test_a_value_that_is_not_of_its_type_is_null_and_fails_nothing(
    database: Database, item: dict[str, Any]
) -> None:
    snapshot = ALL["server"].snapshot("prod", item, observed_at=FixedClock().now())
    await Inventory(database).write([snapshot], CAUSE)
    [row] = await database.fetch("select * from inventory.servers")
    assert (row["access_ipv4"], row["created_at"], row["vcpus"], row["locked"]) == (None,) * 4


def examples() -> list[str]:
    """Return the queries that the reference page shows."""
    return re.findall(r"^```sql\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


async def test_the_examples_of_the_page_find_something(database: Database) -> None:
    await fill(database)
    found = {query: len(await database.fetch(query)) for query in examples()}
    assert len(found) >= 5
    assert [query for query, rows in found.items() if not rows] == []
