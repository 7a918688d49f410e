"""The readers' requests on the real Octavia."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.resource import Kind
from tests.support.openstack.asking import NOWHERE, Api, authentication, objects_of, read
from tests.support.openstack.processes import running
from tests.support.openstack.promises import Filters, Markers, Members, Promises
from tests.support.openstack.real import Keystone
from tests.support.openstack.services import octavia
from tests.support.openstack.suite import MARKS, World

pytestmark = MARKS

MADE = 3
KINDS = (
    Kind.LOAD_BALANCER,
    Kind.LISTENER,
    Kind.POOL,
    Kind.MEMBER,
    Kind.HEALTH_MONITOR,
    Kind.L7_POLICY,
)
_TABLES = ("load_balancer", "listener", "pool", "member", "health_monitor", "l7policy")


@dataclass(slots=True)
class Octavia:
    """Makes load balancers and what is below them, and is the provider that finishes them."""

    api: Api
    database: Path
    numbers: Iterator[int] = field(default_factory=count)
    made: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def make(self, kind: str) -> str:
        """Make one; of those that need others, below the first or the second of them."""
        number, which = next(self.numbers), len(self.made[kind]) % 2
        path, body = self._body(kind, number, which)
        key = ALL[kind].item_key or "member"
        created = self.api.call(f"lbaas/{path}", {key: {"name": f"{key}-{number}", **body}})[key]
        self._settle()
        pool = path.split("/")[1] + "/" if kind == Kind.MEMBER else ""
        self.made[kind].append(f"{pool}{created['id']}")
        return self.made[kind][-1]

    def remove(self, kind: str, id_: str) -> None:
        """Delete one."""
        pool, _, member = id_.partition("/")
        path = f"lbaas/pools/{pool}/members/{member}" if member else f"{ALL[kind].path}/{id_}"
        self.api.call(path, method="DELETE")
        self._settle()
        self.made[kind].remove(id_)

    def fill(self) -> None:
        """Make some of everything."""
        for kind in KINDS:
            for _ in range(MADE):
                self.make(kind)

    def _body(self, kind: str, number: int, which: int) -> tuple[str, dict[str, Any]]:
        """Return where one is made, and of what."""
        if kind == Kind.LOAD_BALANCER:
            return "loadbalancers", {"vip_subnet_id": NOWHERE}
        if kind == Kind.HEALTH_MONITOR:
            pool = self.make(Kind.POOL)
            times = {"delay": 5, "max_retries": 3, "timeout": 4}
            return "healthmonitors", {"pool_id": pool, "type": "HTTP", **times}
        if kind == Kind.MEMBER:
            address = {"address": f"192.0.2.{number}", "protocol_port": 80}
            return f"pools/{self.made[Kind.POOL][which]}/members", address
        if kind == Kind.L7_POLICY:
            listener = self.made[Kind.LISTENER][which]
            return "l7policies", {"listener_id": listener, "action": "REJECT"}
        balancer = {"loadbalancer_id": self.made[Kind.LOAD_BALANCER][which], "protocol": "HTTP"}
        if kind == Kind.LISTENER:
            return "listeners", balancer | {"protocol_port": 8000 + number}
        return "pools", balancer | {"lb_algorithm": "ROUND_ROBIN"}

    def _settle(self) -> None:
        """Let what was asked for be done."""
        with sqlite3.connect(self.database) as connection:
            connection.execute(
                "UPDATE load_balancer SET provisioning_status = 'DELETED'"
                " WHERE provisioning_status = 'PENDING_DELETE'"
            )
            for table in _TABLES:
                connection.execute(
                    f"DELETE FROM {table} WHERE provisioning_status = 'PENDING_DELETE'"
                )
                connection.execute(
                    f"UPDATE {table} SET provisioning_status = 'ACTIVE'"
                    " WHERE provisioning_status LIKE 'PENDING%'"
                )
        connection.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, keystone_of_all: Keystone) -> Iterator[World]:
    """An Octavia with some of everything."""
    directory = tmp_path_factory.mktemp("octavia")
    keystone = keystone_of_all
    login = authentication(keystone)
    sections = {"keystone_authtoken": login, "service_auth": login}
    with running(octavia.SERVICE, directory, sections) as url:
        keystone.offer("load-balancer", url)
        made = Octavia(Api(f"{url}/v2", keystone.token), directory / "octavia/octavia.db")
        made.fill()
        ids = {kind: frozenset(of_kind) for kind, of_kind in made.made.items()}
        yield World(keystone, directory / "octavia.jsonl", ids, made.make, made.remove)


class TestOctavia(Promises, Markers, Filters, Members):
    KINDS = KINDS
    MISSING: ClassVar = {Kind.MEMBER: f"{NOWHERE}/{NOWHERE}"}

    async def test_members_are_found_by_their_load_balancer(
        self, world: World, reader: Reader
    ) -> None:
        balancer = min(world.made[Kind.LOAD_BALANCER])

        found = await read(reader, Kind.MEMBER, balancer, by="loadbalancer_id")

        pools = objects_of(await read(reader, Kind.POOL, balancer, by="loadbalancer_id"))
        below = {id_ for id_ in world.made[Kind.MEMBER] if id_.partition("/")[0] in pools}
        assert set(objects_of(found)) == below
