"""The real Heat, as a process; `make openstack` installs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.openstack.asking import Api, authentication
from tests.support.openstack.processes import running
from tests.support.openstack.real import Keystone, real_keystone
from tests.support.openstack.services.heat import SERVICE
from tests.support.waiting import eventually

MADE = 2
"""How many stacks there are on top; each has one more within it."""
RESOURCES: dict[str, Any] = {
    "word": {"type": "OS::Heat::RandomString"},
    "group": {
        "type": "OS::Heat::ResourceGroup",
        "properties": {"count": 2, "resource_def": {"type": "OS::Heat::None"}},
    },
}


@dataclass(slots=True)
class Heat:
    """A Heat and its Keystone."""

    keystone: Keystone
    api: Api
    home: Path
    numbers: Iterator[int] = field(default_factory=count)

    async def make(self, **resources: Any) -> str:
        """Have a stack made; return its id when that is done."""
        template = {"heat_template_version": "2016-10-14", "resources": resources}
        name = f"stack-{next(self.numbers)}"
        made = self.api.call("stacks", {"stack_name": name, "template": template})
        id_ = str(made["stack"]["id"])
        await self._until(id_, "CREATE_COMPLETE")
        return id_

    async def remove(self, id_: str) -> None:
        """Have a stack deleted; return when that is done."""
        name = self.api.call(f"stacks/{id_}")["stack"]["stack_name"]
        self.api.call(f"stacks/{name}/{id_}", method="DELETE")
        await self._until(id_, "DELETE_COMPLETE")

    async def fill(self) -> None:
        """Make some stacks, one after the other: SQLite is no database for a busy engine."""
        for _ in range(MADE):
            await self.make(**RESOURCES)

    def stacks(self) -> list[dict[str, Any]]:
        """Return all, as a list shows them."""
        return list(self.api.call("stacks?show_nested=true")["stacks"])

    @property
    def notifications(self) -> Path:
        """The file of all that were sent."""
        return self.home.with_suffix(".jsonl")

    async def _until(self, id_: str, status: str) -> None:
        async def so() -> bool:
            return bool(self.api.call(f"stacks/{id_}")["stack"]["stack_status"] == status)

        await eventually(so, what=f"stack {id_} is {status}")


@contextmanager
def real_heat(directory: Path) -> Iterator[Heat]:
    """Run a Heat without any stack, beside a Keystone that has a `member`, too."""
    with real_keystone(directory) as keystone:
        login = authentication(keystone)
        trustee = {key: value for key, value in login.items() if key != "www_authenticate_uri"}
        sections = {"keystone_authtoken": login, "trustee": trustee}
        with running(SERVICE, directory, sections) as url:
            keystone.offer("orchestration", f"{url}/v1/$(project_id)s")
            keystone.add_member("member")
            api = Api(f"{url}/v1/{keystone.project_id()}", keystone.token)
            yield Heat(keystone, api, directory / "heat")
