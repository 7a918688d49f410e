"""The readers' requests on the real Neutron."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.resource import Kind
from tests.support.openstack.asking import CLOCK, NOWHERE, Api, authentication, client, read
from tests.support.openstack.processes import running
from tests.support.openstack.promises import Batches, Filters, Markers, Members, Promises, Telling
from tests.support.openstack.real import Keystone
from tests.support.openstack.services import neutron
from tests.support.openstack.suite import MARKS, World

pytestmark = MARKS

MADE = 4
ELSEWHERE = "11111111111141118111111111111111"
"""A project that is not ours."""
KINDS = (
    Kind.NETWORK,
    Kind.SUBNET_POOL,
    Kind.SUBNET,
    Kind.PORT,
    Kind.ROUTER,
    Kind.FLOATING_IP,
    Kind.SECURITY_GROUP,
    Kind.SECURITY_GROUP_RULE,
    Kind.TRUNK,
    Kind.QOS_POLICY,
    Kind.NETWORK_AGENT,
)
_AGENT = """
    INSERT INTO agents VALUES (
        'Open vSwitch agent', :binary, 'N/A', :host, 'nova', 1, '2026-11-24 10:00:00',
        '2026-11-24 10:00:00', '2026-11-24 10:00:00', NULL, '{}', NULL, 0, NULL, :id
    )
"""


@dataclass(slots=True)
class Neutron:
    """Makes networks and what goes with them."""

    api: Api
    member: Api
    """Neutron as somebody sees it who administers nothing."""
    database: Path
    numbers: Iterator[int] = field(default_factory=count)
    made: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def make(self, kind: str) -> str:
        """Make one; of those that need others, on the first of them."""
        number = next(self.numbers)
        if kind is Kind.NETWORK_AGENT:
            return self._add_agent(number)
        return self.add(kind, **getattr(self, f"_{kind}")(number))

    def add(self, kind: str, **body: Any) -> str:
        """Create through the API."""
        resource = ALL[kind]
        created = self.api.call(resource.path, {resource.item_key: body})
        id_ = str(created[resource.item_key]["id"])
        self.made[kind].append(id_)
        return id_

    def remove(self, kind: str, id_: str) -> None:
        """Delete through the API."""
        self.api.call(f"{ALL[kind].path}/{id_}", method="DELETE")
        self.made[kind].remove(id_)

    def fill(self) -> None:
        """Make some of everything."""
        for kind in KINDS:
            for _ in range(MADE):
                self.make(kind)
        router, ports = self.made[Kind.ROUTER][0], self.made[Kind.PORT]
        interface = {"subnet_id": self.made[Kind.SUBNET][1]}
        self.api.call(f"routers/{router}/add_router_interface", interface, method="PUT")
        for floating_ip, port in zip(self.made[Kind.FLOATING_IP][:2], ports, strict=False):
            body = {"floatingip": {"port_id": port}}
            self.api.call(f"floatingips/{floating_ip}", body, method="PUT")

    def live(self) -> None:
        """Change some of everything, and delete some."""
        for kind in KINDS[:-1]:
            if kind is not Kind.SECURITY_GROUP_RULE:  # which never change
                change = {ALL[kind].item_key: {"description": "changed"}}
                self.api.call(f"{ALL[kind].path}/{self.made[kind][-1]}", change, method="PUT")
            self.remove(kind, self.make(kind))
        network = self.member.call("networks", {"network": {"name": "a member's"}})["network"]
        self.member.call("ports", {"port": {"network_id": network["id"]}})
        change = {"network": {"description": "changed by the member"}}
        self.member.call(f"networks/{network['id']}", change, method="PUT")

    def _add_agent(self, number: int) -> str:
        """Write an agent's row, which it would report by RPC."""
        row = {"id": f"{number:08}-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "host": f"host-{number}"}
        row["binary"] = "neutron-openvswitch-agent" if number % 2 else "neutron-l3-agent"
        with sqlite3.connect(self.database) as connection:
            connection.execute(_AGENT, row)
        connection.close()
        self.made[Kind.NETWORK_AGENT].append(row["id"])
        return row["id"]

    def _network(self, number: int) -> dict[str, Any]:
        network = {"name": f"network-{number}", "router:external": number == 0}
        return network | ({"project_id": ELSEWHERE} if number > 1 else {})

    def _subnet_pool(self, number: int) -> dict[str, Any]:
        pool = {"name": f"pool-{number}", "prefixes": [f"172.{number}.0.0/16"]}
        return pool | self._somebody_elses(number)

    def _subnet(self, number: int) -> dict[str, Any]:
        which = len(self.made[Kind.SUBNET])
        subnet = {"name": f"subnet-{number}", "ip_version": 4}
        if which < 2:
            network = self.made[Kind.NETWORK][which]
            return subnet | {"network_id": network, "cidr": f"10.{number}.0.0/24"}
        network, pool = (
            self.made[Kind.NETWORK][2 + which % 2],
            self.made[Kind.SUBNET_POOL][which % 2],
        )
        return subnet | {"network_id": network, "subnetpool_id": pool, "prefixlen": 24}

    def _port(self, number: int) -> dict[str, Any]:
        return {
            "network_id": self.made[Kind.NETWORK][1],
            "name": f"port-{number}",
            "device_id": f"server-{number % 3}",
            "device_owner": "compute:nova" if number % 2 else "baremetal:none",
            "binding:host_id": f"host-{number % 2}",
        }

    def _router(self, number: int) -> dict[str, Any]:
        gateway = {"network_id": self.made[Kind.NETWORK][0]}
        return {"name": f"router-{number}", "external_gateway_info": gateway}

    def _floating_ip(self, number: int) -> dict[str, Any]:
        network = self.made[Kind.NETWORK][0]
        return {"floating_network_id": network, "description": f"address-{number}"}

    def _security_group(self, number: int) -> dict[str, Any]:
        return {"name": f"group-{number}"} | self._somebody_elses(number)

    def _security_group_rule(self, number: int) -> dict[str, Any]:
        return {
            "security_group_id": self.made[Kind.SECURITY_GROUP][number % 2],
            "direction": "ingress",
            "protocol": "tcp",
            "port_range_min": 1000 + number,
            "port_range_max": 1000 + number,
        }

    def _trunk(self, number: int) -> dict[str, Any]:
        port = self.add(Kind.PORT, network_id=self.made[Kind.NETWORK][1], name=f"parent-{number}")
        return {"name": f"trunk-{number}", "port_id": port}

    def _qos_policy(self, number: int) -> dict[str, Any]:
        return {"name": f"policy-{number}"} | self._somebody_elses(number)

    def _somebody_elses(self, number: int) -> dict[str, Any]:
        return {"project_id": ELSEWHERE} if number % 2 else {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, keystone_of_all: Keystone) -> Iterator[World]:
    """A Neutron with some of everything."""
    directory = tmp_path_factory.mktemp("neutron")
    keystone = keystone_of_all
    login = {"keystone_authtoken": authentication(keystone)}
    log = {"oslo_messaging_notifications": {"driver": "log"}}
    with running(neutron.SERVICE, directory, login, log) as url:
        keystone.offer("network", url)
        home = directory / "neutron"
        made = Neutron(
            Api(f"{url}/v2.0", keystone.token),
            Api(f"{url}/v2.0", keystone.token_of("member")),
            home / "neutron.db",
        )
        made.fill()
        ids = {kind: frozenset(of_kind) for kind, of_kind in made.made.items()}
        told = directory / "neutron.jsonl"
        yield World(keystone, told, ids, made.make, made.remove, made.live)


class TestNeutron(Promises, Markers, Batches, Filters, Members, Telling):
    KINDS = KINDS
    MAKE_WHAT_THEY_ASK_FOR = frozenset(
        {(Kind.SECURITY_GROUP, "project_id"), (Kind.SECURITY_GROUP_RULE, "project_id")}
    )

    async def test_asked_for_the_groups_of_a_project_it_makes_the_default_one(
        self, reader: Reader
    ) -> None:
        found = await read(reader, Kind.SECURITY_GROUP, NOWHERE, by="project_id")

        assert [one.name for one in found.snapshots] == ["default"], "why we ask at once or never"

    async def test_what_policy_keeps_from_a_member_is_not_taken_for_gone(
        self, world: World, tmp_path: Path
    ) -> None:
        agent = min(world.made[Kind.NETWORK_AGENT])
        async with client(world.keystone, "member", tmp_path) as opened:
            found = await read(Reader(opened, clock=CLOCK), Kind.NETWORK_AGENT, agent)

        assert (found.gone, [error.status for _, error in found.failed]) == ({}, [404])
