"""Nova's voice: what it sends while it serves one request about one server, in each format.

`compute.instance.update` needs `notify_on_state_change = vm_and_task_state`, which kolla and
openstack-helm set.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.simulator.notification import VERSIONED, Json, Notification, Request
from services.simulator.objects import Server
from services.simulator.payloads.nova_legacy import (
    fixed_ips,
    instance_payload,
    request_spec,
    state_change,
)
from services.simulator.payloads.nova_versioned import (
    audit_period,
    instance_data,
    request_spec_object,
    state_update,
    versioned,
)
from services.simulator.world import World

EXCHANGE = "nova"
CONTROLLER = "ctl1"

_VERSIONED_ACTIONS = {
    "resize.prep": "resize_prep",
    "resize.confirm": "resize_confirm",
    "finish_resize": "resize_finish",
    "volume.attach": "volume_attach",
    "volume.detach": "volume_detach",
}
_PAYLOADS = {
    "create": ("InstanceCreatePayload", "1.13"),
    "resize_prep": ("InstanceActionResizePrepPayload", "1.4"),
    "volume_attach": ("InstanceActionVolumePayload", "1.7"),
    "volume_detach": ("InstanceActionVolumePayload", "1.7"),
}
_ADDS_ADDRESSES = frozenset({"create.end", "reboot.end", "finish_resize.end", "resize.end"})


@dataclass(frozen=True, slots=True)
class Nova:
    """Nova, serving `request` about `server`."""

    world: World
    request: Request
    server: Server

    def become(
        self, vm_state: str | None = None, *, task: str | None, by: str = "compute"
    ) -> Iterator[Notification]:
        """Save a new state and announce it, also when nothing differs.

        The API and the conductor send their updates with the controller as host.
        """
        server = self.server
        old_state, old_task = server.vm_state, server.task_state
        server.vm_state, server.task_state = vm_state or old_state, task
        yield from self.update(old_state=old_state, old_task=old_task, by=by)

    def update(
        self,
        *,
        old_state: str | None,
        old_task: str | None,
        by: str = "compute",
        old_name: str | None = None,
    ) -> Iterator[Notification]:
        """Send an update; a lone one is the only sign of a rename or of new metadata."""
        world, server = self.world, self.server
        server.updated_at = world.second()
        host = server.host if by == "compute" and server.host else CONTROLLER
        if world.dialect.legacy:
            payload = instance_payload(world, server)
            payload |= state_change(server, old_state=old_state, old_task=old_task, now=world.now)
            if old_name is not None:
                payload["old_display_name"] = old_name
            service = "compute" if by == "api" else by
            yield self._legacy(f"{service}.{host}", "compute.instance.update", payload)
        if world.dialect.versioned:
            data = instance_data(world, self.request, server)
            data["state_update"] = state_update(server, old_state=old_state, old_task=old_task)
            data |= {"old_display_name": old_name, "tags": []}
            data["audit_period"] = audit_period(world.now)
            payload = versioned("InstanceUpdatePayload", "2.1", data)
            yield self._versioned(f"nova-{by}:{host}", "instance.update", payload)

    def say(self, action: str, phase: str, extra: Json | None = None) -> Iterator[Notification]:
        """Announce the start or end of an action, named as in the legacy format."""
        world, server = self.world, self.server
        host = server.host or CONTROLLER
        if world.dialect.legacy:
            payload = instance_payload(world, server)
            if f"{action}.{phase}" in _ADDS_ADDRESSES:
                payload["fixed_ips"] = fixed_ips(world, server)
            payload |= extra or {}
            name = f"compute.instance.{action}.{phase}"
            yield self._legacy(f"compute.{host}", name, payload)
        if world.dialect.versioned:
            yield self.say_versioned(_VERSIONED_ACTIONS.get(action, action), phase, extra)

    def say_versioned(self, action: str, phase: str, extra: Json | None = None) -> Notification:
        """Return the versioned notification of an action."""
        data = instance_data(self.world, self.request, self.server)
        data |= {"fault": None, **(extra or {})}
        if action == "create":
            data |= {"keypairs": [], "tags": [], "trusted_image_certificates": None}
            data["instance_name"] = f"instance-{self.server.number:08x}"
        name, version = _PAYLOADS.get(action, ("InstanceActionPayload", "1.9"))
        return self._versioned(
            f"nova-compute:{self.server.host or CONTROLLER}",
            f"instance.{action}.{phase}",
            versioned(name, version, data),
        )

    def single(self, action: str, extra: Json) -> Notification:
        """Return a legacy notification that has no phase, such as `volume.attach`."""
        payload = instance_payload(self.world, self.server) | extra
        publisher = f"compute.{self.server.host or CONTROLLER}"
        return self._legacy(publisher, f"compute.instance.{action}", payload)

    def fail(self, action: str, reason: str) -> Iterator[Notification]:
        """Announce, at level error, that an action failed on the compute host."""
        world, server = self.world, self.server
        host = server.host or CONTROLLER
        if world.dialect.legacy:
            payload = instance_payload(world, server)
            payload |= {"exception": reason, "message": reason, "code": 500}
            name = f"compute.instance.{action}.error"
            yield self._legacy(f"compute.{host}", name, payload, priority="ERROR")
        if world.dialect.versioned:
            data = instance_data(world, self.request, server)
            data["fault"] = _fault("ComputeResourcesUnavailable", reason, "nova.compute.claims")
            payload = versioned("InstanceActionPayload", "1.9", data)
            name = f"instance.{_VERSIONED_ACTIONS.get(action, action)}.error"
            yield self._versioned(f"nova-compute:{host}", name, payload, priority="ERROR")

    def schedule(self, phase: str) -> Iterator[Notification]:
        """Announce the scheduler's work."""
        world = self.world
        name = f"scheduler.select_destinations.{phase}"
        if world.dialect.legacy:
            payload = {"request_spec": request_spec(world, self.request, self.server)}
            yield self._legacy(f"scheduler.{CONTROLLER}", name, payload)
        if world.dialect.versioned:
            spec = request_spec_object(world, self.server)
            yield self._versioned(f"nova-scheduler:{CONTROLLER}", name, spec)

    def no_valid_host(self) -> Iterator[Notification]:
        """Announce, at level error, that no host could be found."""
        world, server = self.world, self.server
        reason = "No valid host was found. There are not enough hosts available."
        if world.dialect.legacy:
            spec = request_spec(world, self.request, server)
            payload = {
                "request_spec": spec,
                "instance_properties": spec["instance_properties"],
                "instance_id": server.id,
                "state": server.vm_state,
                "method": "build_instances",
                "reason": reason,
            }
            name = "compute_task.build_instances"
            yield self._legacy(f"compute_task.{CONTROLLER}", name, payload, priority="ERROR")
        if world.dialect.versioned:
            data = {
                "instance_uuid": server.id,
                "request_spec": request_spec_object(world, server),
                "state": server.vm_state,
                "reason": _fault("NoValidHost", reason, "nova.conductor.manager"),
            }
            payload = versioned("ComputeTaskPayload", "1.0", data)
            name = "compute_task.build_instances.error"
            yield self._versioned(f"nova-conductor:{CONTROLLER}", name, payload, priority="ERROR")

    def _context(self) -> Json:
        return {
            **self.request.context(self.world.now),
            "_context_quota_class": None,
            "_context_read_deleted": "no",
            "_context_remote_address": "192.0.2.10",
            "_context_service_catalog": [],
        }

    def _legacy(
        self, publisher: str, event_type: str, payload: Json, *, priority: str = "INFO"
    ) -> Notification:
        return self.world.notification(
            EXCHANGE, publisher, event_type, payload, self._context(), priority=priority
        )

    def _versioned(
        self, publisher: str, event_type: str, payload: Json, *, priority: str = "INFO"
    ) -> Notification:
        return self.world.notification(
            EXCHANGE,
            publisher,
            event_type,
            payload,
            self._context(),
            priority=priority,
            topic=VERSIONED,
        )


def _fault(exception: str, message: str, module: str) -> Json:
    told = {
        "exception": exception,
        "exception_message": message,
        "function_name": "build_instances",
        "module_name": module,
        "traceback": "",
    }
    return versioned("ExceptionPayload", "1.1", told)
