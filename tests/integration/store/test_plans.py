"""The main questions are answered through the indexes that were made for them."""

import re
from datetime import timedelta

import pytest

from shared.store.database import Database
from shared.store.statements import statements
from shared.store.timeline import Timeline
from tests.support.events import NOON, event, server


async def plan(database: Database, sql: str, *arguments: object) -> str:
    """Return the plan with sequential scans shunned, as they are in a table of real size."""
    literals = [_literal(argument) for argument in arguments]
    filled = re.sub(r"\$(\d+)", lambda match: literals[int(match[1]) - 1], sql)
    async with database.transaction() as connection:
        await connection.execute("set local enable_seqscan = off")
        return "\n".join(row[0] for row in await connection.fetch(f"explain {filled}"))


def _literal(value: object) -> str:
    return "null" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


async def fill(database: Database) -> None:
    """Write events of which no two share what is asked for."""
    events = [
        event(
            f"event-{number}",
            type=f"type-{number % 100}",
            time=NOON + timedelta(seconds=number),
            request_id=f"req-{number}",
            project=f"project-{number}",
            user=f"user-{number}",
            host=f"host-{number}",
            name=f"web {number}",
            subjects=(server(f"server-{number}"),),
        )
        for number in range(1000)
    ]
    await Timeline(database).append(events, recorded_at=NOON + timedelta(hours=1))
    await database.execute("vacuum analyze events")


QUESTIONS: tuple[tuple[dict[int, object], str], ...] = (
    ({}, "time_class_idx"),
    ({15: NOON, 16: "event-5", 17: "prod"}, "time_class_idx"),
    ({3: "{7}", 1: NOON + timedelta(seconds=900)}, "class_time_idx"),
    ({4: "{server/server-1}"}, "refs_idx"),
    ({6: "project-1"}, "project_time_idx"),
    ({7: "user-1"}, "user_id_time_idx"),
    ({8: "req-1"}, "request_id_idx"),
    ({9: "host-1"}, "host_time_idx"),
    ({10: "77:*", 11: "{}"}, "words_idx"),
    ({10: "77:*", 11: "{7}"}, "words_idx"),
)


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_the_timeline_is_read_through_an_index(database: Database, order: str) -> None:
    await fill(database)

    for arguments, index in QUESTIONS:
        given = [arguments.get(number) for number in range(1, 18)]
        found = await plan(database, statements("timeline_reading")[order], *given, 10)

        assert re.search(rf"(using|on) events_2026w48_{index}", found), found


async def test_the_end_of_a_page_and_the_buckets_are_read_from_an_index_alone(
    database: Database,
) -> None:
    await fill(database)
    sql = statements("timeline_reading")

    for name in ("newest_of_classes", "oldest_of_classes"):
        found = await plan(database, sql[name], "{1,2}", None, None, 10)
        assert "Index Only Scan" in found, found
        assert "events_2026w48_class_time_idx" in found, found
    given = [NOON, NOON + timedelta(days=1), *[None] * 12, "1 hour", "category"]
    found = await plan(database, sql["buckets"], *given)
    assert re.search(r"Index Only Scan.* events_2026w48_(time_class|class_time)_idx", found)


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_rare_classes_are_not_looked_for_among_all_events(
    database: Database, order: str
) -> None:
    await fill(database)
    given = [NOON, NOON + timedelta(days=1), *[None] * 15, 100, "{1,2,3}"]

    found = await plan(database, statements("timeline_reading")[f"{order}_by_class"], *given)

    assert re.search(r"Index Scan.* (using|on) events_2026w48_class_time_idx", found), found


async def test_what_is_new_is_found_through_an_index(database: Database) -> None:
    sql = statements("timeline_reading")
    before = await database.fetch_value(sql["here"])
    await fill(database)
    here = await database.fetch_value(sql["here"])

    given = [*[None] * 14, before, here, *[None] * 4, 500]
    found = await plan(database, sql["news"], *given)

    assert "events_2026w48_written_idx" in found, found


async def test_every_index_of_the_timeline_answers_a_question(database: Database) -> None:
    await fill(database)
    asked = {index for _, index in QUESTIONS} | {"written_idx"}
    indexes = await database.fetch(
        "select indexname from pg_indexes where tablename = 'events_2026w48'"
    )

    assert {row[0].removeprefix("events_2026w48_") for row in indexes} == asked


async def test_due_targets_are_found_through_an_index(database: Database) -> None:
    await database.execute(
        "insert into targets"
        " (cloud, kind, by, key, cause, why, asked_at, last_asked_at, ready_at, due_at)"
        " select 'prod', 'port', 'id', n::text, '', '', $1, $1, $1, $1"
        " from generate_series(1, 2000) as n",
        NOON,
    )
    await database.execute("analyze targets")

    claim = statements("targets")["claim"]
    lease = NOON + timedelta(minutes=1)
    found = await plan(database, claim, "prod", NOON, 100, "me", lease, None)

    assert "using targets_by_due" in found, found
    assert "using targets_by_readiness" in found, found


async def test_due_actions_are_found_through_an_index_however_long_a_backlog_is(
    database: Database,
) -> None:
    await database.execute(
        "with fired as (insert into firings select gen_random_uuid(), 'r', '', 'prod', 'e', '', $1,"
        " $1 from generate_series(1, 2000) returning id)"
        " insert into actions (firing, position, kind, settings, receiver, since, due_at)"
        " select id, 0, 'log', '{}', 'r' || (random() * 5)::int, $1, $1 from fired",
        NOON,
    )
    await database.execute("analyze actions")

    due = await plan(database, statements("outbox")["due_receivers"], NOON)
    assert due.count("using actions_by_receiver") >= 2, due
    assert "Seq Scan" not in due, due

    claim = statements("outbox")["claim"].replace("$1::text[]", "array['r1']")
    claim = claim.replace("$2::integer[]", "array[8]")
    found = await plan(database, claim, "", 0, NOON, "me", NOON + timedelta(minutes=1))
    assert "using actions_by_receiver" in found, found


async def test_resources_page_in_the_order_of_their_key(database: Database) -> None:
    await database.execute(
        "insert into resources (cloud, kind, id)"
        " select 'prod', 'port', n::text from generate_series(1, 2000) as n"
    )
    await database.execute("analyze resources")

    for cloud, after in ((None, None), ("prod", "5"), (None, "5")):
        sql = statements("inventory")["find"].replace("$3", "true")
        found = await plan(
            database, sql, "port", cloud, None, after and "prod", after, 10, *[None] * 3
        )
        assert "using resources_pkey" in found, found
        assert "Sort" not in found, found


@pytest.mark.parametrize(
    ("kind", "field", "index"),
    [
        ("port", "device_id", "resources_by_device"),
        ("floating_ip", "port_id", "resources_by_port"),
        ("attachment", "volume_id", "resources_by_volume"),
        ("subnet", "network_id", "resources_by_network"),
        ("security_group_rule", "security_group_id", "resources_by_security_group"),
        ("stack_resource", "stack_id", "resources_by_stack"),
    ],
)
async def test_what_points_at_an_object_is_found_through_an_index(
    database: Database, kind: str, field: str, index: str
) -> None:
    """Asked for each object that events bury, and each that a read shows with what is below it."""
    await database.execute(
        "insert into resources (cloud, kind, id, seen_at, object)"
        " select 'prod', $1::text, n::text, $2, jsonb_build_object($3::text, 'id-' || n)"
        " from generate_series(1, 2000) as n",
        kind,
        NOON,
        field,
    )
    await database.execute("analyze resources")

    since = NOON + timedelta(minutes=1)
    sql = statements("inventory")["unseen_of"]
    found = await plan(database, sql, "prod", kind, field, "{id-7}", since, 1000, None)

    assert f"using {index} " in found or f"on {index} " in found, found


async def test_what_an_object_owns_is_found_through_the_links_to_it(database: Database) -> None:
    await database.execute(
        "insert into links (cloud, kind, id, name, to_kind, by, to_key)"
        " select 'prod', 'port', n::text, 'network', 'network', 'id', 'net-' || n"
        " from generate_series(1, 2000) as n"
    )
    await database.execute("analyze links")

    owned = ("{port}", "{network}", "{network}")
    sql = statements("owning")["below"]
    found = await plan(database, sql, "{prod}", "{network}", "{net-7}", *owned)

    assert "links_by_target" in found, found


async def test_tombstones_of_owners_are_found_by_their_keys(database: Database) -> None:
    await database.execute(
        "insert into resources (cloud, kind, id, deleted_at)"
        " select 'prod', 'network', n::text, $1 from generate_series(1, 2000) as n",
        NOON,
    )

    sql = statements("owning")["dead"]
    found = await plan(database, sql, "{prod}", "{network}", "{7}")

    assert "using resources_pkey" in found, found


@pytest.mark.parametrize("statement", ["read", "behind"])
async def test_what_is_around_servers_is_found_by_keys_before_there_are_statistics(
    database: Database, statement: str
) -> None:
    await database.execute(
        "insert into resources (cloud, kind, id, object)"
        " select 'prod', kind, n::text, '{}'"
        " from generate_series(1, 2000) as n,"
        " unnest(array['server', 'port', 'floating_ip']) as kind"
    )
    await database.execute(
        "insert into links (cloud, kind, id, name, to_kind, by, to_key)"
        " select 'prod', kind, n::text, name, to_kind, 'id', n::text"
        " from generate_series(1, 2000) as n,"
        " (values ('port', 'device', 'server'), ('floating_ip', 'port', 'port'))"
        " as link (kind, name, to_kind)"
    )

    sql = statements("server_ports")[statement]
    found = await plan(database, sql, "prod", "{7,8,9}")

    conditions = [line for line in found.splitlines() if "Index Cond" in line]
    assert len(conditions) == found.count(" Scan using "), found
    # Whatever was not found by its key would be fetched for everything of its kind.
    assert all("(id =" in line or "(to_key =" in line for line in conditions), found
