"""Servers beside their ports, as the inventory has both."""

from datetime import UTC, datetime
from typing import Any

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.server_ports import Behind, ServerPorts, ServersAndPorts

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CAUSE = Cause(CauseKind.EVENT, "e")
ADDRESSES = {"private": [{"addr": "10.0.0.5"}]}
FIXED = [{"subnet_id": "n", "ip_address": "10.0.0.5"}]


def known(kind: str, id_: str, *, told: bool = False, **fields: Any) -> Snapshot:
    ref = ResourceRef("prod", kind, id_)
    name = fields.get("name")
    return Snapshot(ref, name, None, None, {"id": id_, **fields}, NOON, partial=told)


SERVER = known("server", "s", addresses=ADDRESSES, security_groups=[{"name": "web"}])
PORT = known(
    "port",
    "p",
    device_id="s",
    device_owner="compute:nova",
    mac_address="fa",
    fixed_ips=FIXED,
    security_groups=["g", "unknown"],
)
FLOATING = known("floating_ip", "f", port_id="p", floating_ip_address="172.24.0.8")
GROUP = known("security_group", "g", name="web")


async def fill(database: Database, *snapshots: Snapshot) -> ServersAndPorts:
    for snapshot in snapshots:
        await Inventory(database).write([snapshot], CAUSE)
    return ServersAndPorts(database)


async def test_a_server_comes_with_its_ports_addresses_and_groups(database: Database) -> None:
    servers = await fill(database, SERVER, PORT, FLOATING, GROUP)

    (found,) = await servers.read("prod", ["s", "nowhere"])

    assert found == ServerPorts(
        "s",
        ADDRESSES,
        [{"name": "web"}],
        [
            {
                "mac_address": "fa",
                "fixed_ips": FIXED,
                "floating_ips": ["172.24.0.8"],
                "security_groups": ["web", None],
            }
        ],
    )


async def test_what_is_gone_is_not_plugged_in(database: Database) -> None:
    servers = await fill(database, SERVER, PORT, FLOATING, GROUP)

    await Inventory(database).delete({FLOATING.ref: NOON, GROUP.ref: NOON}, CAUSE)
    (found,) = await servers.read("prod", ["s"])
    assert (found.ports[0]["floating_ips"], found.ports[0]["security_groups"]) == ([], [None, None])

    await Inventory(database).delete({PORT.ref: NOON}, CAUSE)
    (found,) = await servers.read("prod", ["s"])
    assert found.ports == []


async def test_a_server_that_no_read_found_or_that_is_gone_is_left_out(database: Database) -> None:
    servers = await fill(
        database, known("server", "told", told=True, status="ACTIVE"), known("server", "gone")
    )
    await Inventory(database).delete({ResourceRef("prod", "server", "gone"): NOON}, CAUSE)

    assert await servers.read("prod", ["told", "gone"]) == []
    assert await servers.read("elsewhere", ["s"]) == []


async def test_the_server_behind_a_floating_ip_is_found_through_its_port(
    database: Database,
) -> None:
    servers = await fill(database, PORT, FLOATING)

    assert await servers.behind("prod", ["f", "other"]) == [Behind("f", "p", "s")]
    assert await servers.behind("elsewhere", ["f"]) == []
