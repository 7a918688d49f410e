"""Neutron's voice: `.start` with the request, `.end` with the object as the caller may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from services.simulator.notification import Deed, Json, Notification, Operation, Pause, Request
from services.simulator.objects import Stamped
from services.simulator.payloads import neutron as show
from services.simulator.world import World

EXCHANGE = "neutron"
_PUBLISHER = "network.ctl1"
_WORKING_SECONDS = 0.02

S = TypeVar("S", bound=Stamped)
_SHOWN: dict[str, Callable[..., Json]] = {
    "network": show.network,
    "subnet": show.subnet,
    "port": show.port,
    "router": show.router,
    "floatingip": show.floating_ip,
    "security_group": show.security_group,
    "security_group_rule": show.security_group_rule,
    "subnetpool": show.subnet_pool,
    "trunk": show.trunk,
    "policy": show.qos_policy,
}
_IN_REPLIES: dict[str, Json] = {"network": {"is_default": False}}
"""What the reply to a creation holds, and so its notification, but no read of the object."""


@dataclass(frozen=True, slots=True)
class Neutron:
    """Neutron, serving `request`; `name` is always the singular of the API's resource."""

    world: World
    request: Request

    def create(self, name: str, asked: Json, make: Callable[[], S]) -> Deed[S]:
        """Create an object; `.start` holds the request, which has no id."""
        yield self.say(f"{name}.create.start", {name: asked})
        yield Pause(_WORKING_SECONDS)
        item = make()
        shown = {**self._shown(name, item)[name], **_IN_REPLIES.get(name, {})}
        yield self.say(f"{name}.create.end", {name: shown})
        return item

    def update(
        self, name: str, item: Stamped, asked: Json, change: Callable[[], None]
    ) -> Operation:
        """Change an object; its revision rises."""
        yield self.say(f"{name}.update.start", {name: asked, "id": item.id})
        yield Pause(_WORKING_SECONDS)
        change()
        self.world.touch(item)
        yield self.say(f"{name}.update.end", self._shown(name, item))

    def delete(self, name: str, item: Stamped, drop: Callable[[], None]) -> Operation:
        """Delete an object; `.end` holds it as it was, `.start` only its id."""
        yield self.say(f"{name}.delete.start", {f"{name}_id": item.id})
        yield Pause(_WORKING_SECONDS)
        shown = self._shown(name, item)
        drop()
        yield self.say(f"{name}.delete.end", {f"{name}_id": item.id, **shown})

    def say(self, event_type: str, payload: Json) -> Notification:
        """Return a notification of Neutron's API."""
        admin = self.request.actor.admin
        context = {
            **self.request.context(self.world.now),
            "_context_can_set_project_id": admin,
            "_context_has_global_access": admin,
            # Gone with neutron-lib 4 (2026.2); Ceilometer's network definitions still read them.
            "_context_tenant": self.request.actor.project_id,
            "_context_tenant_id": self.request.actor.project_id,
            "_context_tenant_name": self.request.actor.project_name,
        }
        return self.world.notification(EXCHANGE, _PUBLISHER, event_type, payload, context)

    def _shown(self, name: str, item: Stamped) -> Json:
        return {name: _SHOWN[name](self.world, item, admin=self.request.actor.admin)}
