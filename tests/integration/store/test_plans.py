"""The main questions are answered through the indexes that were made for them."""

import re
from datetime import timedelta

import pytest

from shared.store.database import Database
from shared.store.statements import statements
from shared.store.timeline import Timeline
from tests.support.events import NOON, event, server

FIND = 17
"""How many parameters `find` takes."""


async def plan(database: Database, sql: str, *arguments: object) -> str:
    """Return the plan with sequential scans shunned, as they are in a table of real size."""
    literals = [_literal(argument) for argument in arguments]
    filled = re.sub(r"\$(\d+)", lambda match: literals[int(match[1]) - 1], sql)
    async with database.transaction() as connection:
        await connection.execute("set local enable_seqscan = off")
        return "\n".join(row[0] for row in await connection.fetch(f"explain {filled}"))


def _literal(value: object) -> str:
    return "null" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


@pytest.mark.parametrize(
    ("arguments", "index"),
    [
        ({}, r"time_id_idx"),
        ({1: NOON, 2: "event-5", 3: "cloud-1"}, r"time_id_idx"),
        ({4: "cloud-1"}, r"cloud_time_id_idx"),
        ({4: "cloud-1", 1: NOON, 2: "event-5", 3: "cloud-1"}, r"cloud_time_id_idx"),
        ({10: "server/server-1"}, r"refs_idx"),
        ({11: "project-1"}, r"project_time_id_idx"),
        ({12: "user-1"}, r"user_id_time_id_idx"),
        ({13: "req-1"}, r"request_id_idx"),
        ({14: "host-1"}, r"host_time_id_idx"),
        ({7: "volume.%"}, r"type_time_id_idx"),
        ({7: "volume.%"}, r"canonical_time_id_idx"),
    ],
)
async def test_the_timeline_is_read_through_an_index(
    database: Database, arguments: dict[int, object], index: str
) -> None:
    events = [
        event(
            f"event-{number}",
            cloud=f"cloud-{number % 100}",
            canonical=f"type-{number}",
            time=NOON + timedelta(seconds=number),
            request_id=f"req-{number}",
            project=f"project-{number}",
            user=f"user-{number}",
            host=f"host-{number}",
            subjects=(server(f"server-{number}"),),
        )
        for number in range(1000)
    ]
    await Timeline(database).append(events, recorded_at=NOON + timedelta(hours=1))
    await database.execute("analyze events")
    given = [arguments.get(number) for number in range(1, FIND)]

    found = await plan(database, statements("timeline")["find"], *given, 10)

    assert re.search(rf"using events_2026w48_{index}|on events_2026w48_{index}", found), found


async def test_due_targets_are_found_through_an_index(database: Database) -> None:
    await database.execute(
        "insert into targets (cloud, kind, by, key, cause, why, asked_at, ready_at, due_at)"
        " select 'prod', 'port', 'id', n::text, '', '', $1, $1, $1"
        " from generate_series(1, 2000) as n",
        NOON,
    )
    await database.execute("analyze targets")

    claim = statements("targets")["claim"]
    lease = NOON + timedelta(minutes=1)
    found = await plan(database, claim, "prod", NOON, 100, "me", lease, None)

    assert "using targets_by_due" in found, found
    assert "using targets_by_readiness" in found, found


async def test_resources_page_in_the_order_of_their_key(database: Database) -> None:
    await database.execute(
        "insert into resources (cloud, kind, id)"
        " select 'prod', 'port', n::text from generate_series(1, 2000) as n"
    )
    await database.execute("analyze resources")

    for cloud, after in ((None, None), ("prod", "5"), (None, "5")):
        sql = statements("inventory")["find"].replace("$3", "true")
        found = await plan(database, sql, "port", cloud, None, after and "prod", after, 10)
        assert "using resources_pkey" in found, found
        assert "Sort" not in found, found
