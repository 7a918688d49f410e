"""Nova's traps."""

from datetime import timedelta

import pytest

from services.simulator.app import Simulator
from tests.integration.simulator.conftest import Caller
from tests.support.clocks import FixedClock
from tests.support.events import NOON
from tests.support.waiting import eventually

DETAIL = "/compute/v2.1/servers/detail"
ALL = ("all_tenants", "1")


async def happen(admin: Caller, *operations: str) -> None:
    """Let single operations happen, and wait for their end."""
    await admin.post("/_simulator/life", {"begin": list(operations)})

    async def idle() -> bool:
        return bool((await admin.get("/_simulator/life")).body["idle"])

    await eventually(idle, what=f"{operations} ended")


async def test_pages_hold_at_most_a_thousand_and_the_link_leads_to_the_next(
    admin: Caller, simulator: Simulator
) -> None:
    seen: list[str] = []
    reply = await admin.get(DETAIL, [ALL, ("limit", "7")])
    while True:
        seen += [server["id"] for server in reply.body["servers"]]
        links = reply.body.get("servers_links")
        if links is None:
            break
        reply = await admin.get(links[0]["href"])
    assert len(seen) == 30
    assert set(seen) == set(simulator.truth("server"))


async def test_the_newest_server_comes_first(admin: Caller) -> None:
    reply = await admin.get(DETAIL, [ALL])
    assert [each["name"] for each in reply.body["servers"]][:2] == ["vm-30", "vm-29"]


async def test_without_all_tenants_only_the_tokens_project_whatever_is_asked(
    admin: Caller, member: Caller
) -> None:
    reply = await admin.get(DETAIL, [("tenant_id", member.project_id)])
    assert reply.body["servers"] == []


@pytest.mark.parametrize("value", ["1", "True", "", "whatever"])
async def test_all_tenants_is_forbidden_to_members(member: Caller, value: str) -> None:
    reply = await member.get(DETAIL, [("all_tenants", value)])

    rule = "os_compute_api:servers:detail:get_all_tenants"
    message = f"Policy doesn't allow {rule} to be performed."
    assert (reply.status, reply.body) == (403, {"forbidden": {"code": 403, "message": message}})


async def test_a_member_who_does_not_ask_for_all_is_shown_their_project(
    member: Caller, simulator: Simulator
) -> None:
    everything = simulator.truth("server")
    ours = {id_ for id_, one in everything.items() if one["tenant_id"] == member.project_id}

    for params in ([], [("all_tenants", "0")], [("changes-since", "2000-01-01T00:00:00Z")]):
        reply = await member.get(DETAIL, params)
        assert {one["id"] for one in reply.body["servers"]} == ours


async def test_an_unknown_filter_is_ignored_up_to_2_74_and_refused_from_2_75(
    admin: Caller,
) -> None:
    params = [ALL, ("colour", "red")]
    ignored = await admin.get(DETAIL, params, version="compute 2.74")
    assert len(ignored.body["servers"]) == 30
    assert (await admin.get(DETAIL, params, version="compute 2.75")).status == 400


async def test_of_a_repeated_uuid_the_last_counts(admin: Caller, simulator: Simulator) -> None:
    first, second, *_ = simulator.truth("server")
    reply = await admin.get(DETAIL, [ALL, ("uuid", first), ("uuid", second)])
    assert [server["id"] for server in reply.body["servers"]] == [second]


async def test_changes_since_brings_what_changed_with_the_deleted_ones(
    admin: Caller, clock: FixedClock, simulator: Simulator
) -> None:
    clock.advance(timedelta(seconds=60))
    before = set(simulator.truth("server"))
    await happen(admin, "delete server", "rename server")
    since = (NOON + timedelta(seconds=30)).isoformat()
    reply = await admin.get(DETAIL, [ALL, ("changes-since", since)])
    (gone,) = before - set(simulator.truth("server"))
    by_id = {server["id"]: server["status"] for server in reply.body["servers"]}
    assert by_id[gone] == "DELETED"
    assert len(by_id) == 2


async def test_changes_since_a_fraction_of_the_second_misses_the_second(
    admin: Caller, clock: FixedClock
) -> None:
    clock.advance(timedelta(seconds=60, milliseconds=700))
    await happen(admin, "rename server")
    half_past = (NOON + timedelta(seconds=60, milliseconds=500)).isoformat()
    reply = await admin.get(DETAIL, [ALL, ("changes-since", half_past)])
    assert reply.body["servers"] == []


async def test_a_deleted_server_is_404_but_may_still_be_a_marker(
    admin: Caller, simulator: Simulator
) -> None:
    before = set(simulator.truth("server"))
    await happen(admin, "delete server")
    (gone,) = before - set(simulator.truth("server"))
    assert (await admin.get(f"/compute/v2.1/servers/{gone}")).status == 404
    assert (await admin.get(DETAIL, [ALL, ("marker", gone)])).status == 200


async def test_an_unknown_marker_is_a_bad_request(admin: Caller) -> None:
    assert (await admin.get(DETAIL, [ALL, ("marker", "nobody")])).status == 400


@pytest.mark.parametrize("version", ["compute 2.96", "compute 1.0", "compute 3.1"])
async def test_an_unsupported_microversion_is_not_acceptable(admin: Caller, version: str) -> None:
    assert (await admin.get(DETAIL, version=version)).status == 406


async def test_from_2_47_the_flavor_is_embedded_without_its_id(admin: Caller) -> None:
    old = (await admin.get(DETAIL, [ALL], version="compute 2.46")).body["servers"][0]
    new = (await admin.get(DETAIL, [ALL], version="compute 2.47")).body["servers"][0]
    assert "id" in old["flavor"]
    assert "id" not in new["flavor"]
    assert new["flavor"]["original_name"].startswith("m1.")


async def test_members_do_not_see_the_host(member: Caller, admin: Caller) -> None:
    own = (await member.get(DETAIL)).body["servers"][0]
    assert "OS-EXT-SRV-ATTR:host" not in own
    same = (await admin.get(f"/compute/v2.1/servers/{own['id']}")).body["server"]
    assert same["OS-EXT-SRV-ATTR:host"].startswith("compute-")


async def test_flavors_can_be_listed_and_read(admin: Caller) -> None:
    flavors = (await admin.get("/compute/v2.1/flavors/detail")).body["flavors"]
    one = (await admin.get(f"/compute/v2.1/flavors/{flavors[0]['id']}")).body["flavor"]
    assert one == flavors[0]
    assert (await admin.get("/compute/v2.1/flavors/none")).status == 404
