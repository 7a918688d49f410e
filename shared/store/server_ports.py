"""Reads servers together with what Neutron has for them: ports, floating IPs, security groups."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("server_ports")


@dataclass(frozen=True, slots=True)
class ServerPorts:
    """One living server as reads found it, beside its ports as the inventory has them."""

    id: str
    addresses: Mapping[str, Any]
    """Nova's, by the name of the network."""
    security_groups: Sequence[Mapping[str, Any]]
    """Nova's: names alone."""
    ports: Sequence[Mapping[str, Any]]
    """Neutron's `mac_address` and `fixed_ips`, with `floating_ips` (the addresses that lead to the
    port) and `security_groups` (names; null for a group that is not known)."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A server that a floating IP leads to, by the inventory."""

    floating_ip: str
    port: str
    server: str


class ServersAndPorts:
    """Reads them; raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, cloud: str, ids: Collection[str]) -> list[ServerPorts]:
        """Return those of some servers that live and that a read has found."""
        rows = await self._database.fetch(_SQL["read"], cloud, sorted(set(ids)))
        return [
            ServerPorts(
                row["id"],
                _value(row["addresses"], {}),
                _value(row["security_groups"], []),
                _value(row["ports"], []),
            )
            for row in rows
        ]

    async def behind(self, cloud: str, floating_ips: Collection[str]) -> list[Behind]:
        """Return the servers that some floating IPs lead to."""
        rows = await self._database.fetch(_SQL["behind"], cloud, sorted(set(floating_ips)))
        return [Behind(**dict(row)) for row in rows]


def _value(text: str | None, otherwise: Any) -> Any:
    """Return JSON of the type that is expected; whatever else an object holds says nothing."""
    value = otherwise if text is None else orjson.loads(text)
    return value if isinstance(value, type(otherwise)) else otherwise
