"""The readers' requests on the real Glance, and what its notifications tell."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.request import Request, urlopen

import pytest

from shared.resource import Kind
from tests.support.openstack.asking import Api, authentication
from tests.support.openstack.processes import running
from tests.support.openstack.promises import Batches, Markers, Members, Promises, Telling
from tests.support.openstack.real import Keystone
from tests.support.openstack.services import glance
from tests.support.openstack.suite import MARKS, World

pytestmark = MARKS

ELSEWHERE = "11111111111141118111111111111111"
"""A project that is not ours."""
UNLIKE: tuple[dict[str, Any], ...] = (
    {},
    {"visibility": "public", "disk_format": "raw", "container_format": "bare"},
    {"visibility": "community"},
    {"visibility": "private", "owner": ELSEWHERE},
    {"os_hidden": True, "visibility": "public"},
    {"protected": False, "tags": ["one", "two"], "hw_disk_bus": "scsi"},
)
DATA = b"not quite a disk"


@dataclass(slots=True)
class Glance:
    """Makes images of several sorts."""

    api: Api
    numbers: Iterator[int] = field(default_factory=count)
    made: list[str] = field(default_factory=list)

    def make(self, _: str = Kind.IMAGE, **different: Any) -> str:
        """Make an image without data."""
        body = {"name": f"image-{next(self.numbers)}", **different}
        id_ = str(self.api.call("images", body)["id"])
        self.made.append(id_)
        return id_

    def remove(self, _: str, id_: str) -> None:
        """Delete an image."""
        self.api.call(f"images/{id_}", method="DELETE")
        self.made.remove(id_)

    def fill(self) -> None:
        """Make one of each sort, and upload the data of one."""
        for different in UNLIKE:
            self.make(**different)
        self._send("PUT", f"{self.made[1]}/file", "application/octet-stream", DATA)

    def live(self) -> None:
        """Change an image in several ways, and delete another."""
        change = (
            b'[{"op": "replace", "path": "/name", "value": "renamed"},'
            b' {"op": "add", "path": "/hw_disk_bus", "value": "virtio"}]'
        )
        patch = "application/openstack-images-v2.1-json-patch"
        for id_ in self.made[:2]:
            self._send("PATCH", id_, patch, change)
        self.api.call(f"images/{self.made[1]}/actions/deactivate", method="POST")
        self.api.call(f"images/{self.made[0]}/tags/green", method="PUT")
        self.remove(Kind.IMAGE, self.make())

    def _send(self, method: str, path: str, content_type: str, body: bytes) -> None:
        headers = {"X-Auth-Token": self.api.token, "Content-Type": content_type}
        url = f"{self.api.url}/images/{path}"
        with urlopen(Request(url, body, headers, method=method), timeout=120):
            pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, keystone_of_all: Keystone) -> Iterator[World]:
    """A Glance with images of all sorts."""
    directory = tmp_path_factory.mktemp("glance")
    keystone = keystone_of_all
    login = {"keystone_authtoken": authentication(keystone)}
    log = {"oslo_messaging_notifications": {"driver": "log"}}
    with running(glance.SERVICE, directory, login, log) as url:
        keystone.offer("image", url)
        made = Glance(Api(f"{url}/v2", keystone.token))
        made.fill()
        ids: dict[str, frozenset[str]] = {Kind.IMAGE: frozenset(made.made)}
        told = directory / "glance.jsonl"
        yield World(keystone, told, ids, made.make, made.remove, made.live)


class TestGlance(Promises, Markers, Batches, Members, Telling):
    KINDS = (Kind.IMAGE,)
