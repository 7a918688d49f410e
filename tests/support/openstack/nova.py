"""The real Nova API with some of everything, as a process; `make openstack` installs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.openstack.asking import Api, authentication
from tests.support.openstack.processes import running
from tests.support.openstack.real import Keystone, real_keystone
from tests.support.openstack.services.nova import SERVICE

MADE = 5
"""How many there are of each kind that Nova makes by itself."""
ELSEWHERE = "11111111111141118111111111111111"
"""A project that is not ours."""
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGWzS0sLkSYgQZVHpTGZHn/2mBWDXtlS0V7LHMdP0wSc"


class Nova(NamedTuple):
    """A Nova, its Keystone, and what it has instead of computes."""

    keystone: Keystone
    api: Api
    filling: Api
    """Does what computes and the scheduler would (`nova_filling`)."""
    home: Path

    def add_server(
        self, name: str, *, host: str = "host-0", project: str | None = None, cell: str = "cell1"
    ) -> str:
        """Make a server that runs; return its id."""
        asked = {
            "name": name,
            "host": host,
            "project": project or self.keystone.project_id(),
            "user": self.keystone.user_id("admin"),
            "cell": cell,
        }
        return str(self.filling.call("server", asked)["made"])

    def add_lost_host(self, name: str) -> None:
        """Make a host that is down for good: its servers are deleted by the API itself."""
        self.filling.call("host", {"name": name})
        services = self.api.call("os-services")["services"]
        (id_,) = [one["id"] for one in services if one["host"] == name]
        self.api.call(f"os-services/{id_}", {"forced_down": True}, method="PUT")

    @contextmanager
    def cell_down(self, name: str) -> Iterator[None]:
        """Take the database of a cell away for a while."""
        database = self.home / f"main.db_{name}"
        rows = database.read_bytes()
        database.write_bytes(b"")
        try:
            yield
        finally:
            database.write_bytes(rows)

    def notifications(self) -> list[dict[str, Any]]:
        """Return all that were sent so far."""
        lines = self.home.with_suffix(".jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@contextmanager
def real_nova(directory: Path) -> Iterator[Nova]:
    """Run a Nova with some of everything, beside a Keystone that has a `member`, too."""
    with real_keystone(directory) as keystone:
        login = authentication(keystone)
        sections = {"keystone_authtoken": login, "neutron": login, "placement": login}
        with running(SERVICE, directory, sections) as url:
            keystone.offer("compute", f"{url}/v2.1")
            for other in ("network", "placement", "image"):
                keystone.offer(other, f"{url}/{other}")
            keystone.add_member("member")
            api = Api(f"{url}/v2.1", keystone.token, "compute 2.70")
            filling = Api(f"{url}/filling", keystone.token)
            nova = Nova(keystone, api, filling, directory / "nova")
            _fill(nova)
            yield nova


def _fill(nova: Nova) -> None:
    for number in range(MADE):
        for path, kind, body in (
            ("flavors", "flavor", _flavor(number)),
            ("os-keypairs", "keypair", {"type": "ssh", "public_key": PUBLIC_KEY}),
            ("os-server-groups", "server_group", {"policy": "affinity"}),
            ("os-aggregates", "aggregate", {"availability_zone": f"zone-{number}"}),
        ):
            nova.api.call(path, {kind: {"name": f"{kind}-{number}"} | body})
        nova.filling.call("host", {"name": f"host-{number}"})
    nova.filling.call("conductor", {"host": "controller"})
    for number in range(MADE):
        nova.add_server(f"server-{number}", project=ELSEWHERE if number == 0 else None)


def _flavor(number: int) -> dict[str, Any]:
    """Return a flavor; the last one is private."""
    size = {"id": str(number + 1), "ram": 64, "vcpus": 1, "disk": 1}
    return size | {"os-flavor-access:is_public": number < MADE - 1}
