"""When a server shows what its ports have, and when it does not yet."""

from typing import Any

import pytest

from services.refresher.network_info import shows_addresses, shows_ports
from shared.store.server_ports import ServerPorts

PORT = {
    "mac_address": "fa:16:3e:00:00:01",
    "fixed_ips": [{"subnet_id": "subnet-1", "ip_address": "10.0.0.5"}],
    "floating_ips": ["172.24.0.8"],
    "security_groups": ["default", "web"],
}


def entry(kind: str, address: str, mac: str = "fa:16:3e:00:00:01") -> dict[str, Any]:
    return {
        "addr": address,
        "version": 4,
        "OS-EXT-IPS:type": kind,
        "OS-EXT-IPS-MAC:mac_addr": mac,
    }


FIXED, FLOATING = entry("fixed", "10.0.0.5"), entry("floating", "172.24.0.8")
GROUPS = [{"name": "web"}, {"name": "default"}, {"name": "default"}]


def server(*entries: dict[str, Any], ports: tuple[Any, ...] = (PORT,)) -> ServerPorts:
    return ServerPorts("server-1", {"private": list(entries)}, GROUPS, ports)


def test_a_server_with_the_addresses_and_groups_of_its_ports_shows_them() -> None:
    assert shows_ports(server(FLOATING, FIXED))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [FIXED],
        [FIXED, FLOATING, entry("fixed", "10.0.0.6")],
        [FIXED, entry("floating", "172.24.0.9")],
        [entry("fixed", "10.0.0.5", mac="fa:16:3e:00:00:02"), FLOATING],
    ],
)
def test_other_addresses_are_not_those_of_its_ports(entries: list[dict[str, Any]]) -> None:
    assert not shows_addresses(server(*entries))


@pytest.mark.parametrize(
    "groups", [["default"], ["default", "web", "db"], ["default", "web", None]]
)
def test_other_groups_or_one_that_is_not_known_are_not_shown(groups: list[str | None]) -> None:
    found = server(FIXED, FLOATING, ports=({**PORT, "security_groups": groups},))

    assert shows_addresses(found)
    assert not shows_ports(found)


def test_a_server_without_ports_shows_them_when_it_has_no_address() -> None:
    assert shows_addresses(server(ports=()))
    assert not shows_addresses(server(FIXED, ports=()))


def test_what_is_no_address_is_passed_over() -> None:
    odd = ServerPorts("server-1", {"private": [FIXED, "odd"], "more": None}, GROUPS, (PORT,))

    assert not shows_addresses(odd)
