"""What Nova's versioned notifications say of an instance: objects, nested at every level.

Versions are those of 2025.2; a consumer must go by the fields, not by the names.
"""

from datetime import datetime

from services.simulator.notification import Json, Request
from services.simulator.objects import Flavor, Server
from services.simulator.payloads.nova_legacy import ZONE
from services.simulator.payloads.times import zulu, zulu_or_none
from services.simulator.world import World

_POWER = {"active": "running", "stopped": "shutdown", "resized": "running", "building": "pending"}


def versioned(name: str, version: str, data: Json) -> Json:
    """Return a versioned object of Nova."""
    return {
        "nova_object.name": name,
        "nova_object.namespace": "nova",
        "nova_object.version": version,
        "nova_object.data": data,
    }


def flavor_object(flavor: Flavor) -> Json:
    """Return a FlavorPayload."""
    return versioned(
        "FlavorPayload",
        "1.4",
        {
            "flavorid": flavor.id,
            "name": flavor.name,
            "root_gb": flavor.disk_gib,
            "vcpus": flavor.vcpus,
            "ephemeral_gb": 0,
            "memory_mb": flavor.ram_mib,
            "disabled": False,
            "rxtx_factor": 1.0,
            "extra_specs": {},
            "projects": None,
            "swap": 0,
            "is_public": flavor.public,
            "vcpu_weight": 0,
            "description": None,
        },
    )


def instance_data(world: World, request: Request, server: Server) -> Json:
    """Return the data that every `instance.*` shares."""
    return {
        "architecture": "x86_64",
        "availability_zone": ZONE if server.host else None,
        "block_devices": [],
        "created_at": zulu(server.created_at),
        "deleted_at": zulu_or_none(server.deleted_at),
        "display_name": server.name,
        "display_description": server.name,
        "host": server.host,
        "host_name": server.name,
        "ip_addresses": _addresses(world, server),
        "kernel_id": "",
        "key_name": None,
        "launched_at": zulu_or_none(server.launched_at),
        "image_uuid": server.image_id,
        "metadata": dict(server.metadata),
        "locked": False,
        "locked_reason": None,
        "node": server.host and f"{server.host}.example.org",
        "os_type": None,
        "progress": 0,
        "ramdisk_id": "",
        "reservation_id": server.reservation_id,
        "state": server.vm_state,
        "task_state": server.task_state,
        "power_state": _POWER.get(server.vm_state, "pending"),
        "tenant_id": server.project_id,
        "terminated_at": zulu_or_none(server.deleted_at),
        "auto_disk_config": "MANUAL",
        "flavor": flavor_object(world.flavors[server.flavor_id]),
        "updated_at": zulu(server.updated_at),
        "user_id": server.user_id,
        "uuid": server.id,
        "request_id": request.id,
        "action_initiator_user": request.actor.user_id,
        "action_initiator_project": request.actor.project_id,
        "shares": [],
    }


def _addresses(world: World, server: Server) -> list[Json]:
    return [
        versioned(
            "IpPayload",
            "1.0",
            {
                "mac": port.mac,
                "address": address,
                "port_uuid": port.id,
                "meta": {},
                "version": 4,
                "label": world.networks[port.network_id].name,
                "device_name": f"tap{port.id[:11]}",
            },
        )
        for port in world.ports_of(server.id)
        for _, address in port.fixed_ips
    ]


def state_update(server: Server, *, old_state: str | None, old_task: str | None) -> Json:
    """Return the InstanceStateUpdatePayload of `instance.update`."""
    return versioned(
        "InstanceStateUpdatePayload",
        "1.0",
        {
            "old_state": old_state,
            "state": server.vm_state,
            "old_task_state": old_task,
            "new_task_state": server.task_state,
        },
    )


def audit_period(now: datetime) -> Json:
    """Return the AuditPeriodPayload of `instance.update`: the month so far."""
    period = {
        "audit_period_beginning": f"{now:%Y-%m}-01T00:00:00Z",
        "audit_period_ending": zulu(now),
    }
    return versioned("AuditPeriodPayload", "1.0", period)


def request_spec_object(world: World, server: Server) -> Json:
    """Return the RequestSpecPayload of the scheduler's notifications."""
    return versioned(
        "RequestSpecPayload",
        "1.1",
        {
            "availability_zone": None,
            "flavor": flavor_object(world.flavors[server.flavor_id]),
            "force_hosts": None,
            "force_nodes": None,
            "ignore_hosts": None,
            "image": None,
            "instance_group": None,
            "instance_uuid": server.id,
            "num_instances": 1,
            "numa_topology": None,
            "pci_requests": versioned(
                "InstancePCIRequestsPayload", "1.0", {"instance_uuid": server.id, "requests": []}
            ),
            "project_id": server.project_id,
            "requested_destination": None,
            "retry": None,
            "scheduler_hints": {},
            "security_groups": ["default"],
            "user_id": server.user_id,
        },
    )
