"""The readers' requests on the real Manila."""

from collections.abc import Iterator
from itertools import count

import pytest

from shared.resource import Kind
from tests.support.openstack.asking import Api, authentication
from tests.support.openstack.processes import running
from tests.support.openstack.promises import Promises
from tests.support.openstack.real import real_keystone
from tests.support.openstack.services import manila
from tests.support.openstack.suite import MARKS, World

pytestmark = MARKS

MADE = 5
_TYPE = {"name": "any", "extra_specs": {"driver_handles_share_servers": "false"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A Manila with some shares."""
    directory = tmp_path_factory.mktemp("manila")
    with real_keystone(directory) as keystone:
        login = {"keystone_authtoken": authentication(keystone)}
        with running(manila.SERVICE, directory, login) as url:
            keystone.offer("shared-file-system", f"{url}/v2")
            api, numbers = Api(f"{url}/v2", keystone.token, "shared-file-system 2.60"), count()
            api.call("types", {"share_type": _TYPE})

            def make(_: str) -> str:
                share = {"name": f"share-{next(numbers)}", "share_proto": "NFS", "size": 1}
                made = api.call("shares", {"share": share | {"share_type": "any"}})
                return str(made["share"]["id"])

            def remove(_: str, id_: str) -> None:
                api.call(f"shares/{id_}/action", {"force_delete": None})

            made: dict[str, frozenset[str]] = {
                Kind.SHARE: frozenset(make(Kind.SHARE) for _ in range(MADE))
            }
            yield World(keystone, directory / "manila.jsonl", made, make, remove)


class TestManila(Promises):
    KINDS = (Kind.SHARE,)
