"""Whether servers show what Neutron has for them: their addresses and security groups.

A server's addresses are Nova's copy (its network info cache) of ports and floating IPs, and change
some time after those: Neutron tells Nova of changes in batches (`send_events_interval`, 2 s). No
`updated_at` moves with it, so that each such server is a read of its own. The inventory knows the
ports, from their events: a server that shows them already need not be read, and one that does not
show them yet after a read is looked at again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from services.refresher.telling import Told
from shared.event import Event
from shared.resource import Kind, ResourceRef
from shared.store.server_ports import ServerPorts, ServersAndPorts
from shared.target import BY_ID, Target

NOVA_LEARNS = timedelta(seconds=2)
"""How long Nova mostly takes to learn of a change in Neutron."""
_LEFT = "a floating IP left it"
_Entry = tuple[str, str, str]
"""Type (fixed, floating), address, MAC address."""


def told_by_neutron(target: Target, event: Event) -> bool:
    """Tell whether an event of Neutron asks for a server."""
    return event.service == "network" and (target.kind, target.by) == (Kind.SERVER, BY_ID)


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """Compares servers with their ports; raises StoreUnavailable."""

    servers: ServersAndPorts

    async def up_to_date(self, refs: Iterable[ResourceRef]) -> frozenset[ResourceRef]:
        """Return those of some servers that show what their ports have."""
        return frozenset(ref for ref, one in await self._read(refs) if shows_ports(one))

    async def behind_time(self, refs: Iterable[ResourceRef]) -> frozenset[ResourceRef]:
        """Return those of some servers that show other addresses than their ports have."""
        return frozenset(ref for ref, one in await self._read(refs) if not shows_addresses(one))

    async def left_behind(self, told: Iterable[tuple[Told, str]]) -> list[Target]:
        """Return the servers that floating IPs lead to by the inventory, but no longer by an event.

        To be asked before the inventory is told. Each `Told` comes with the id of its event.
        """
        leads: dict[str, dict[str, tuple[str | None, str]]] = {}
        for item, event_id in told:
            if item.ref.kind == Kind.FLOATING_IP and "port_id" in item.snapshot.object:
                port = item.snapshot.object["port_id"]
                leads.setdefault(item.ref.cloud, {})[item.ref.id] = (port, event_id)
        return [
            Target(cloud, Kind.SERVER, BY_ID, one.server, some[one.floating_ip][1], _LEFT)
            for cloud, some in leads.items()
            for one in await self.servers.behind(cloud, some)
            if some[one.floating_ip][0] != one.port
        ]

    async def _read(self, refs: Iterable[ResourceRef]) -> list[tuple[ResourceRef, ServerPorts]]:
        by_cloud: dict[str, set[str]] = {}
        for ref in refs:
            by_cloud.setdefault(ref.cloud, set()).add(ref.id)
        return [
            (ResourceRef(cloud, Kind.SERVER, one.id), one)
            for cloud, ids in by_cloud.items()
            for one in await self.servers.read(cloud, ids)
        ]


def shows_ports(server: ServerPorts) -> bool:
    """Tell whether addresses and security groups of a server are those of its ports."""
    named = {group.get("name") for group in server.security_groups if isinstance(group, dict)}
    names = {name for port in server.ports for name in port["security_groups"]}
    return named == names and shows_addresses(server)


def shows_addresses(server: ServerPorts) -> bool:
    """Tell whether the addresses of a server are those of its ports."""
    return set(_shown(server)) == set(_of_ports(server))


def _shown(server: ServerPorts) -> Iterator[_Entry]:
    for entries in server.addresses.values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                yield (
                    str(entry.get("OS-EXT-IPS:type")),
                    str(entry.get("addr")),
                    str(entry.get("OS-EXT-IPS-MAC:mac_addr")),
                )


def _of_ports(server: ServerPorts) -> Iterator[_Entry]:
    for port in server.ports:
        mac = str(port["mac_address"])
        for fixed in port["fixed_ips"] or ():
            if isinstance(fixed, dict):
                yield ("fixed", str(fixed.get("ip_address")), mac)
        for address in port["floating_ips"]:
            yield ("floating", str(address), mac)
