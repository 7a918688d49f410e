"""Which addresses a webhook may connect to; asked for the very address, after names were resolved.

A rule's URL may come from somebody who should not reach what only this machine or network can: the
cloud's metadata service, a database on loopback. A name that resolves to a public address when it
is checked and to a private one when it is used would pass any earlier look.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_LOW_32_BITS = 0xFFFFFFFF

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""


class AddressRefused(OSError):
    """The address is not one that this action may reach."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's: not loopback, private, link-local, ...

    An IPv4 address within an IPv6 one (mapped, 6to4, Teredo, NAT64) counts as itself.
    """
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return networks from their usual form; ValueError names one that is none."""
    return tuple(ip_network(text) for text in texts)


def guarded_sockets(allowed: Sequence[Network]) -> Callable[[AddressInfo], socket.socket]:
    """Return what makes the sockets of a connector: for public addresses and `allowed` ones only.

    Called with the address that is connected to next, so nothing can change in between.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        address = ip_address(str(where[0]).partition("%")[0])
        if not is_public(address) and not any(address in network for network in allowed):
            # The same words for each address of a name, so that the connector tells them once.
            raise AddressRefused(
                "the address is private; say allow_private: true in the rule, or name its network"
                " in actions.allow_networks, if the receiver really is there"
            )
        return socket.socket(family, kind, protocol)

    return make
