"""What Nova's unversioned notifications say of an instance (captured from Nova 34)."""

from datetime import datetime

from services.simulator.notification import Json, Request
from services.simulator.objects import Server
from services.simulator.payloads.times import blank_offset, micro
from services.simulator.world import World

ZONE = "nova"


def instance_payload(world: World, server: Server) -> Json:
    """Return the payload that every `compute.instance.*` shares; nulls are mostly `""`."""
    flavor = world.flavors[server.flavor_id]
    return {
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "instance_id": server.id,
        "display_name": server.name,
        "reservation_id": server.reservation_id,
        "hostname": server.name,
        "instance_type": flavor.name,
        "instance_type_id": flavor.number,
        "instance_flavor_id": flavor.id,
        "architecture": "x86_64",
        "memory_mb": flavor.ram_mib,
        "disk_gb": flavor.disk_gib,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.disk_gib,
        "ephemeral_gb": 0,
        "host": server.host,
        "node": server.host and f"{server.host}.example.org",
        "availability_zone": ZONE if server.host else None,
        "cell_name": "",
        "created_at": blank_offset(server.created_at),
        "terminated_at": micro(server.deleted_at) or "",
        "deleted_at": micro(server.deleted_at) or "",
        "launched_at": micro(server.launched_at) or "",
        "image_ref_url": f"http://glance.example.org:9292/images/{server.image_id}",
        "os_type": None,
        "kernel_id": "",
        "ramdisk_id": "",
        "state": server.vm_state,
        "state_description": server.task_state or "",
        "progress": "",
        "access_ip_v4": None,
        "access_ip_v6": None,
        "image_meta": {
            "base_image_ref": server.image_id,
            "disk_format": "qcow2",
            "container_format": "bare",
            "min_disk": str(flavor.disk_gib),
            "min_ram": "0",
        },
        "metadata": dict(server.metadata),
    }


def fixed_ips(world: World, server: Server) -> list[Json]:
    """Return the addresses that `create.end` and some others add."""
    return [
        {
            "address": address,
            "type": "fixed",
            "version": 4,
            "meta": {},
            "floating_ips": [],
            "label": world.networks[port.network_id].name,
            "vif_mac": port.mac,
        }
        for port in world.ports_of(server.id)
        for _, address in port.fixed_ips
    ]


def state_change(
    server: Server, *, old_state: str | None, old_task: str | None, now: datetime
) -> Json:
    """Return what `compute.instance.update` adds."""
    return {
        "old_state": old_state,
        "old_task_state": old_task,
        "new_task_state": server.task_state,
        "audit_period_beginning": f"{now:%Y-%m}-01T00:00:00.000000",
        "audit_period_ending": micro(now),
        "bandwidth": {},
    }


def request_spec(world: World, request: Request, server: Server) -> Json:
    """Return the `request_spec` of the scheduler's and conductor's notifications.

    Real ones were seen to carry the caller's token in plain text, inside a serialised object's
    context; so do these.
    """
    flavor = world.flavors[server.flavor_id]
    return {
        "image": {"id": server.image_id, "status": "active", "disk_format": "qcow2"},
        "instance_properties": {
            "uuid": server.id,
            "project_id": server.project_id,
            "user_id": server.user_id,
            "root_gb": flavor.disk_gib,
            "ephemeral_gb": 0,
            "memory_mb": flavor.ram_mib,
            "vcpus": flavor.vcpus,
            "availability_zone": None,
            "numa_topology": None,
            "pci_requests": {
                "_context": {"auth_token": f"gAAAAAB{request.id[4:]}", "request_id": request.id},
                "_obj_instance_uuid": server.id,
                "_obj_requests": [],
            },
        },
        "instance_type": {"flavorid": flavor.id, "name": flavor.name, "id": flavor.number},
        "num_instances": 1,
        "security_groups": ["default"],
    }
