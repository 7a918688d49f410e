"""Which addresses a webhook may reach."""

import socket
from ipaddress import ip_address

import pytest

from services.processor.actions.addresses import (
    AddressInfo,
    AddressRefused,
    guarded_sockets,
    is_public,
    parse_networks,
)

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808", "::ffff:8.8.8.8"]
OURS = [
    "127.0.0.1",
    "127.8.9.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # the cloud's metadata service
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
]


def info(address: str) -> AddressInfo:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_may_be_reached(address: str) -> None:
    assert is_public(ip_address(address))
    guarded_sockets(())(info(address)).close()


@pytest.mark.parametrize("address", OURS)
def test_private_addresses_are_refused_however_they_are_written(address: str) -> None:
    with pytest.raises(AddressRefused, match="allow_private"):
        guarded_sockets(())(info(address))


def test_a_scope_does_not_hide_an_address() -> None:
    with pytest.raises(AddressRefused):
        guarded_sockets(())(info("fe80::1%eth0"))


def test_a_network_that_is_allowed_may_be_reached_and_no_other() -> None:
    make = guarded_sockets(parse_networks(["10.1.0.0/16", "fd00::/8"]))

    make(info("10.1.2.3")).close()
    make(info("fd00::1")).close()
    with pytest.raises(AddressRefused):
        make(info("10.2.0.1"))
