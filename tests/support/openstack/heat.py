"""The real Heat with some stacks, as a process; `make openstack` installs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from tests.support.openstack.asking import Api, authentication
from tests.support.openstack.processes import running
from tests.support.openstack.real import Keystone, real_keystone
from tests.support.openstack.services.heat import SERVICE

MADE = 3
"""How many stacks there are on top; each has one more within it."""
_LONGEST_SECONDS = 30.0
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

    def make(self, **resources: Any) -> str:
        """Have a stack made; return its id when that is done."""
        template = {"heat_template_version": "2016-10-14", "resources": resources}
        name = f"stack-{next(self.numbers)}"
        made = self.api.call("stacks", {"stack_name": name, "template": template})
        id_ = str(made["stack"]["id"])
        self._wait(id_, "CREATE_COMPLETE")
        return id_

    def remove(self, id_: str) -> None:
        """Have a stack deleted; return when that is done."""
        name = self.api.call(f"stacks/{id_}")["stack"]["stack_name"]
        self.api.call(f"stacks/{name}/{id_}", method="DELETE")
        self._wait(id_, "DELETE_COMPLETE")

    def stacks(self) -> list[dict[str, Any]]:
        """Return all, as a list shows them."""
        return list(self.api.call("stacks?show_nested=true")["stacks"])

    @property
    def notifications(self) -> Path:
        """The file of all that were sent."""
        return self.home.with_suffix(".jsonl")

    def _wait(self, id_: str, status: str) -> None:
        until = monotonic() + _LONGEST_SECONDS
        while (found := self.api.call(f"stacks/{id_}")["stack"]["stack_status"]) != status:
            assert monotonic() < until, f"stack {id_} is {found}, not {status}"


@contextmanager
def real_heat(directory: Path) -> Iterator[Heat]:
    """Run a Heat with some stacks, beside a Keystone that has a `member`, too."""
    with real_keystone(directory) as keystone:
        login = authentication(keystone)
        trustee = {key: value for key, value in login.items() if key != "www_authenticate_uri"}
        sections = {"keystone_authtoken": login, "trustee": trustee}
        with running(SERVICE, directory, sections) as url:
            keystone.offer("orchestration", f"{url}/v1/$(project_id)s")
            keystone.add_member("member")
            api = Api(f"{url}/v1/{keystone.project_id()}", keystone.token)
            heat = Heat(keystone, api, directory / "heat")
            for _ in range(MADE):
                heat.make(**RESOURCES)
            yield heat
