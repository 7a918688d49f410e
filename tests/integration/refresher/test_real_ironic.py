"""The readers' requests on the real Ironic."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.errors import CloudRefused
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import Kind
from tests.support.openstack.asking import CLOCK, NOWHERE, Api, authentication, listed
from tests.support.openstack.processes import running
from tests.support.openstack.promises import Filters, Markers, Promises
from tests.support.openstack.real import PASSWORD, Keystone, real_keystone
from tests.support.openstack.services import ironic
from tests.support.openstack.suite import MARKS, World

pytestmark = MARKS

MADE = 5
ELSEWHERE = "11111111111141118111111111111111"
"""A project that is not ours."""


@dataclass(slots=True)
class Ironic:
    """An Ironic, its Keystone, and what it has instead of conductors."""

    keystone: Keystone
    filling: Api
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    made: dict[str, list[str]] = field(
        default_factory=lambda: {Kind.NODE: [], Kind.BAREMETAL_PORT: []}
    )

    def make(self, kind: str) -> str:
        """Enrol a node of our project, or a port of one of the first nodes."""
        number = next(self.numbers)
        if kind == Kind.NODE:
            return self.add_node(f"node-{number}", owner=self.keystone.project_id())
        address = f"52:54:00:00:00:{number:02x}"
        of = {"node_id": number % 2 + 1, "address": address, "extra": {}}
        return self._add(Kind.BAREMETAL_PORT, "ports", of)

    def add_node(self, name: str, *, owner: str | None) -> str:
        """Enrol a node."""
        about = {"name": name, "driver": "fake-hardware", "provision_state": "available"}
        kept = {"driver_info": {"password": "not to be kept"}, "properties": {"cpus": 4}}
        return self._add(Kind.NODE, "nodes", about | kept | {"owner": owner, "extra": {}})

    def remove(self, kind: str, id_: str) -> None:
        """Take one away, as a conductor does in the end."""
        path = "nodes" if kind == Kind.NODE else "ports"
        self.filling.call(path, {"uuid": id_}, method="DELETE")
        self.made[kind].remove(id_)

    def _add(self, kind: Kind, path: str, fields: dict[str, Any]) -> str:
        id_ = f"{next(self.numbers):08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
        self.filling.call(path, {"uuid": id_} | fields)
        self.made[kind].append(id_)
        return id_


@pytest.fixture(scope="module")
def ironic_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ironic]:
    """An Ironic with some nodes and ports."""
    directory = tmp_path_factory.mktemp("ironic")
    with real_keystone(directory) as keystone:
        login = {"keystone_authtoken": authentication(keystone)}
        with running(ironic.SERVICE, directory, login) as url:
            keystone.offer("baremetal", url)
            made = Ironic(keystone, Api(f"{url}/filling", keystone.token))
            for kind in (Kind.NODE, Kind.BAREMETAL_PORT):
                for _ in range(MADE):
                    made.make(kind)
            yield made


@pytest.fixture(scope="module")
def world(ironic_: Ironic, tmp_path_factory: pytest.TempPathFactory) -> World:
    ids = {kind: frozenset(of_kind) for kind, of_kind in ironic_.made.items()}
    nothing = tmp_path_factory.mktemp("notified") / "ironic.jsonl"
    return World(ironic_.keystone, nothing, ids, ironic_.make, ironic_.remove)


class TestIronic(Promises, Markers, Filters):
    KINDS = (Kind.NODE, Kind.BAREMETAL_PORT)

    async def test_no_credentials_are_kept(self, reader: Reader) -> None:
        for node in (await listed(reader, ALL[Kind.NODE])).values():
            assert "driver_info" not in node

    async def test_refusals_are_told_in_words(self, reader: Reader) -> None:
        """Ironic has them in a JSON text within its JSON."""
        with pytest.raises(CloudRefused) as caught:
            await reader.objects.one(ALL[Kind.NODE], NOWHERE)

        assert caught.value.detail == f"Node {NOWHERE} could not be found."

    async def test_nodes_of_others_are_shown_to_who_may_see_the_whole_system(
        self, ironic_: Ironic, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs = {ironic_.add_node(f"of-{owner}", owner=owner) for owner in (None, ELSEWHERE)}
        path = tmp_path / "clouds.yaml"
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        who = {"username": "admin", "password": PASSWORD, "user_domain_name": "Default"}
        ironic_.keystone.write_clouds_yaml(path, "prod", "v3password", **who, system_scope="all")
        cloud = load_cloud("prod")

        of_a_project = await listed(reader, ALL[Kind.NODE])
        async with CloudClient.open(cloud, clock=CLOCK, random=Random(1)) as opened:
            of_the_system = await listed(Reader(opened, clock=CLOCK), ALL[Kind.NODE])

        assert theirs & of_a_project.keys() == set()
        assert of_the_system.keys() == of_a_project.keys() | theirs
