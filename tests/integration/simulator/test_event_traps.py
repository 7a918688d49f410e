"""Panko's traps."""

from datetime import timedelta

import pytest

from services.simulator.app import Simulator
from services.simulator.settings import EventMisbehaviour, Misbehaviour
from tests.integration.simulator.conftest import Caller
from tests.integration.simulator.test_compute_traps import happen
from tests.support.clocks import FixedClock

EVENTS = "/event/v2/events"


def where(field: str, op: str, value: str, kind: str = "") -> list[tuple[str, str]]:
    return [("q.field", field), ("q.op", op), ("q.value", value), ("q.type", kind)]


EVERYTHING = where("all_tenants", "eq", "True")


async def booted(admin: Caller, times: int = 1) -> None:
    for _ in range(times):
        await happen(admin, "boot server")


async def test_a_misaligned_query_is_a_500(admin: Caller) -> None:
    params = [
        ("q.field", "a"),
        ("q.field", "b"),
        ("q.op", "eq"),
        ("q.value", "1"),
        ("q.value", "2"),
    ]
    reply = await admin.get(EVENTS, params)
    assert reply.status == 500
    assert reply.body["error_message"]["faultstring"] == "list index out of range"


async def test_the_oldest_hundred_come_unless_a_limit_is_given(admin: Caller) -> None:
    for _ in range(20):
        await happen(admin, "reboot server")
    events = (await admin.get(EVENTS, EVERYTHING)).body
    assert len(events) == 100
    order = [(event["generated"], event["message_id"]) for event in events]
    assert order == sorted(order)
    assert len((await admin.get(EVENTS, [*EVERYTHING, ("limit", "1000")])).body) == 120


async def test_a_marker_goes_on_behind_it_and_an_unknown_one_is_a_500(admin: Caller) -> None:
    await booted(admin)
    events = (await admin.get(EVENTS, EVERYTHING)).body
    rest = await admin.get(EVENTS, [*EVERYTHING, ("marker", events[3]["message_id"])])
    assert rest.body == events[4:]
    assert (await admin.get(EVENTS, [*EVERYTHING, ("marker", "gone")])).status == 500


async def test_the_newest_comes_with_a_descending_sort(admin: Caller) -> None:
    await booted(admin)
    events = (await admin.get(EVENTS, EVERYTHING)).body
    params = [*EVERYTHING, ("sort", "generated:desc"), ("limit", "1")]
    assert (await admin.get(EVENTS, params)).body == events[-1:]


@pytest.mark.parametrize(
    ("field", "op"),
    [
        ("start_timestamp", "eq"),
        ("start_timestamp", "gt"),
        ("start_timestamp", "le"),
        ("end_timestamp", "ge"),
        ("event_type", "ne"),
    ],
)
async def test_other_operators_than_the_one_are_refused(admin: Caller, field: str, op: str) -> None:
    reply = await admin.get(EVENTS, where(field, op, "2026-11-23T12:00:00"))
    assert reply.status == 400
    assert "is not supported. Only `" in reply.body["error_message"]["faultstring"]


async def test_an_unreadable_time_is_a_500(admin: Caller) -> None:
    assert (await admin.get(EVENTS, where("start_timestamp", "ge", "noon"))).status == 500


async def test_time_bounds_are_inclusive(admin: Caller) -> None:
    await booted(admin)
    events = (await admin.get(EVENTS, EVERYTHING)).body
    start, end = events[2]["generated"], events[4]["generated"]
    bounds = where("start_timestamp", "ge", start) + where("end_timestamp", "le", end)
    assert (await admin.get(EVENTS, EVERYTHING + bounds)).body == events[2:5]


async def test_an_unknown_field_gets_nothing_and_an_unknown_parameter_400(admin: Caller) -> None:
    await booted(admin)
    assert (await admin.get(EVENTS, EVERYTHING + where("colour", "eq", "red"))).body == []
    assert (await admin.get(EVENTS, [("colour", "red")])).status == 400


async def test_trait_filters_look_only_among_traits_of_their_type(admin: Caller) -> None:
    await booted(admin)
    as_number = EVERYTHING + where("vcpus", "ge", "1", "integer")
    as_text = EVERYTHING + where("vcpus", "eq", "1", "string")
    assert (await admin.get(EVENTS, as_number)).body
    assert (await admin.get(EVENTS, as_text)).body == []


async def test_an_admin_sees_others_events_only_with_all_tenants(admin: Caller) -> None:
    await booted(admin)
    assert (await admin.get(EVENTS)).body == []
    assert len((await admin.get(EVENTS, EVERYTHING)).body) == 15


async def test_all_tenants_of_a_member_gets_nothing_and_no_error(
    member: Caller, admin: Caller
) -> None:
    for _ in range(8):
        await happen(admin, "create volume")
    own = (await member.get(EVENTS)).body
    assert own
    for event in own:
        traits = {trait["name"]: trait["value"] for trait in event["traits"]}
        assert traits["project_id"] == member.project_id
    reply = await member.get(EVENTS, EVERYTHING)
    assert (reply.status, reply.body) == (200, [])


async def test_an_event_recorded_late_appears_before_the_cursor(
    admin: Caller, simulator: Simulator, clock: FixedClock
) -> None:
    late = EventMisbehaviour(recorded_late=1, late_by=30)
    simulator.state.misbehave(Misbehaviour(events=late))
    await booted(admin)
    simulator.state.misbehave(Misbehaviour())
    clock.advance(timedelta(seconds=10))
    await booted(admin)
    newest = (await admin.get(EVENTS, EVERYTHING)).body
    cursor = where("start_timestamp", "ge", newest[0]["generated"])
    clock.advance(timedelta(seconds=30))
    assert (await admin.get(EVENTS, EVERYTHING + cursor)).body == newest
    assert len((await admin.get(EVENTS, EVERYTHING)).body) == len(newest) + 15


async def test_one_event_and_the_types(admin: Caller, member: Caller) -> None:
    await booted(admin)
    await happen(admin, "create project")
    (own,) = (await admin.get(EVENTS)).body
    assert (await admin.get(f"{EVENTS}/{own['message_id']}")).body == own
    assert (await admin.get(f"{EVENTS}/nothing")).status == 404
    types = (await admin.get("/event/v2/event_types")).body
    assert "identity.project.created" in types
    assert (await member.get("/event/v2/event_types")).status == 401
