"""Neutron's traps."""

from typing import Any

import pytest

from services.simulator.app import Simulator
from tests.integration.simulator.conftest import Caller

GROUPS = "/network/v2.0/security-groups"
PORTS = "/network/v2.0/ports"


async def test_values_of_one_key_are_alternatives_and_keys_must_all_fit(
    admin: Caller, simulator: Simulator
) -> None:
    ports = list(simulator.truth("port").values())
    first, second = (port for port in ports[:2])
    both = [("id", first["id"]), ("id", second["id"])]
    reply = await admin.get(PORTS, both)
    assert {port["id"] for port in reply.body["ports"]} == {first["id"], second["id"]}
    reply = await admin.get(PORTS, [*both, ("mac_address", first["mac_address"])])
    assert [port["id"] for port in reply.body["ports"]] == [first["id"]]


async def test_ports_are_found_by_their_devices(admin: Caller, simulator: Simulator) -> None:
    servers = list(simulator.truth("server"))[:3]
    reply = await admin.get(PORTS, [("device_id", id_) for id_ in servers])
    assert {port["device_id"] for port in reply.body["ports"]} == set(servers)


@pytest.mark.parametrize("key", ["colour", "changed_since", "updated_at"])
async def test_an_unknown_filter_is_refused(admin: Caller, key: str) -> None:
    reply = await admin.get(PORTS, [(key, "2026-11-23T00:00:00Z")])
    assert reply.status == 400
    assert "is invalid attribute for filtering" in reply.body["NeutronError"]["message"]


async def test_booleans_and_fields(admin: Caller) -> None:
    reply = await admin.get(
        "/network/v2.0/networks",
        [("router:external", "True"), ("fields", "id"), ("fields", "name")],
    )
    (network,) = reply.body["networks"]
    assert network.keys() == {"id", "name"}
    assert network["name"] == "public"


async def test_pages_are_in_the_order_of_ids_and_only_with_a_limit(
    admin: Caller, simulator: Simulator
) -> None:
    everything = await admin.get(PORTS)
    assert len(everything.body["ports"]) == len(simulator.truth("port"))
    assert "ports_links" not in everything.body
    seen: list[str] = []
    reply = await admin.get(PORTS, [("limit", "10")])
    while True:
        seen += [port["id"] for port in reply.body["ports"]]
        if "ports_links" not in reply.body:
            break
        reply = await admin.get(reply.body["ports_links"][0]["href"])
    assert seen == sorted(simulator.truth("port"))


async def test_members_see_their_own_and_external_networks_without_provider_attributes(
    member: Caller,
) -> None:
    networks = (await member.get("/network/v2.0/networks")).body["networks"]
    assert {network["name"] for network in networks} == {"demo-network", "public"}
    assert not any("provider:network_type" in network for network in networks)


async def test_an_object_that_is_absent_or_of_others_is_not_found(
    admin: Caller, member: Caller, simulator: Simulator
) -> None:
    others = next(
        id_
        for id_, port in simulator.truth("port").items()
        if port["project_id"] != member.project_id
    )
    assert (await member.get(f"{PORTS}/{others}")).status == 404
    assert (await admin.get(f"{PORTS}/{others}")).status == 200
    reply = await admin.get(f"{PORTS}/nothing")
    assert (reply.status, reply.body["NeutronError"]["type"]) == (404, "PortNotFound")


async def test_an_unknown_marker_is_not_found(admin: Caller) -> None:
    assert (await admin.get(PORTS, [("limit", "1"), ("marker", "nothing")])).status == 404


async def test_a_group_embeds_its_rules_and_a_network_its_subnets_ids(
    admin: Caller, simulator: Simulator
) -> None:
    group = next(iter(simulator.truth("security_group").values()))
    rules = await admin.get(
        "/network/v2.0/security-group-rules", [("security_group_id", group["id"])]
    )
    by_id = {rule["id"]: rule for rule in rules.body["security_group_rules"]}
    assert {rule["id"]: rule for rule in group["security_group_rules"]} == by_id
    network = next(iter(simulator.truth("network").values()))
    subnets = await admin.get("/network/v2.0/subnets", [("network_id", network["id"])])
    assert [subnet["id"] for subnet in subnets.body["subnets"]] == network["subnets"]


async def test_only_a_single_read_says_whether_a_groups_rules_are_of_a_default_one(
    admin: Caller, simulator: Simulator
) -> None:
    id_ = next(iter(simulator.truth("security_group")))
    listed = await admin.get(GROUPS, [("id", id_)])
    single = await admin.get(f"{GROUPS}/{id_}")

    def said(group: dict[str, Any]) -> set[bool | None]:
        return {rule["belongs_to_default_sg"] for rule in group["security_group_rules"]}

    assert said(listed.body["security_groups"][0]) == {None}
    assert None not in said(single.body["security_group"])


async def test_to_ask_for_the_groups_of_a_project_makes_its_default_one(admin: Caller) -> None:
    reply = await admin.get(GROUPS, [("project_id", "nobody's")])
    assert [group["name"] for group in reply.body["security_groups"]] == ["default"]
