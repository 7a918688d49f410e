"""A server as Nova's API shows it, by microversion and caller."""

import hashlib

from services.simulator.notification import Json
from services.simulator.objects import Port, Server
from services.simulator.payloads.nova_legacy import ZONE
from services.simulator.payloads.times import micro, zulu
from services.simulator.world import World

_STATUS = {
    "active": "ACTIVE",
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "resized": "VERIFY_RESIZE",
    "error": "ERROR",
    "deleted": "DELETED",
}
_STATUS_BY_TASK = {
    "rebooting": "REBOOT",
    "reboot_pending": "REBOOT",
    "reboot_started": "REBOOT",
    "resize_prep": "RESIZE",
    "resize_migrating": "RESIZE",
    "resize_migrated": "RESIZE",
    "resize_finish": "RESIZE",
}
_POWER = {"active": 1, "resized": 1, "stopped": 4}
_DELETE_ON_TERMINATION, _LOCKED, _HOST_STATUS, _DESCRIPTION, _TAGS = 3, 9, 16, 19, 26
_EMBEDDED_FLAVOR, _CERTIFICATES, _LOCKED_REASON, _HOSTNAME = 47, 63, 73, 90


def status(server: Server) -> str:
    """Return the REST status, which Nova derives from the state and the task."""
    if server.vm_state in {"active", "stopped"} and server.task_state in _STATUS_BY_TASK:
        return _STATUS_BY_TASK[server.task_state]
    return _STATUS.get(server.vm_state, "UNKNOWN")


def server_body(world: World, server: Server, *, minor: int, admin: bool, origin: str) -> Json:
    """Return a server in microversion 2.`minor`."""
    self_link = f"{origin}/compute/v2.1/servers/{server.id}"
    body: Json = {
        "id": server.id,
        "name": server.name,
        "status": status(server),
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": dict(server.metadata),
        "hostId": _host_id(server),
        "image": {"id": server.image_id, "links": []},
        "flavor": _flavor(world, server, minor),
        "created": zulu(server.created_at),
        "updated": zulu(server.updated_at),
        "addresses": _addresses(world, server),
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [{"rel": "self", "href": self_link}],
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": ZONE if server.host else "",
        "config_drive": "",
        "key_name": server.key_name,
        "OS-SRV-USG:launched_at": micro(server.launched_at),
        "OS-SRV-USG:terminated_at": micro(server.deleted_at),
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": _POWER.get(server.vm_state, 0),
        "os-extended-volumes:volumes_attached": _volumes(world, server, minor),
        "security_groups": _group_names(world, server),
    }
    if server.vm_state == "active":
        body["progress"] = 0
    if admin:
        body |= _for_admins(server, minor)
    return body | _later(server, minor)


def _for_admins(server: Server, minor: int) -> Json:
    body: Json = {
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host and f"{server.host}.example.org",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.number:08x}",
    }
    if minor >= _DELETE_ON_TERMINATION:
        body["OS-EXT-SRV-ATTR:reservation_id"] = server.reservation_id
    if minor >= _HOST_STATUS:
        body["host_status"] = "UP" if server.host else ""
    return body


def _later(server: Server, minor: int) -> Json:
    """Return what later microversions added for everybody."""
    added: dict[int, Json] = {
        _LOCKED: {"locked": False},
        _DESCRIPTION: {"description": server.name},
        _TAGS: {"tags": []},
        _CERTIFICATES: {"trusted_image_certificates": None},
        _LOCKED_REASON: {"locked_reason": None},
        _HOSTNAME: {"OS-EXT-SRV-ATTR:hostname": server.name},
    }
    body: Json = {}
    for since, fields in added.items():
        if minor >= since:
            body |= fields
    return body


def _host_id(server: Server) -> str:
    if server.host is None:
        return ""
    return hashlib.sha224(f"{server.project_id}{server.host}".encode()).hexdigest()


def _flavor(world: World, server: Server, minor: int) -> Json:
    """Return the flavor: its id up to 2.46, from 2.47 its values without the id."""
    flavor = world.flavors[server.flavor_id]
    if minor < _EMBEDDED_FLAVOR:
        return {"id": flavor.id, "links": []}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram_mib,
        "disk": flavor.disk_gib,
        "ephemeral": 0,
        "swap": 0,
        "original_name": flavor.name,
        "extra_specs": {},
    }


def _addresses(world: World, server: Server) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for port in world.ports_of(server.id):
        label = world.networks[port.network_id].name
        found.setdefault(label, []).extend(_of_port(world, port))
    return found


def _of_port(world: World, port: Port) -> list[Json]:
    def entry(address: str, kind: str) -> Json:
        return {
            "addr": address,
            "version": 4,
            "OS-EXT-IPS:type": kind,
            "OS-EXT-IPS-MAC:mac_addr": port.mac,
        }

    floating = world.floating_ips.get(world.floating_ip_shown.get(port.id, ""))
    fixed = [entry(address, "fixed") for _, address in port.fixed_ips]
    return fixed + ([entry(floating.address, "floating")] if floating else [])


def _volumes(world: World, server: Server, minor: int) -> list[Json]:
    if minor < _DELETE_ON_TERMINATION:
        return [{"id": id_} for id_ in server.volume_ids]
    return [
        {"id": id_, "delete_on_termination": world.volumes[id_].bootable}
        for id_ in server.volume_ids
    ]


def _group_names(world: World, server: Server) -> list[Json]:
    groups = (world.security_groups.get(id_) for id_ in server.security_group_ids)
    return [{"name": group.name} for group in groups if group is not None]
