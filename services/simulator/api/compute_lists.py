"""Nova beside its servers: flavors, key pairs, aggregates, server groups, hosts and zones."""

from collections import Counter
from collections.abc import Sequence

from services.simulator.api.answer import Refused, fault, last
from services.simulator.api.microversions import COMPUTE
from services.simulator.api.plain import Asked, Pages, Plain, Row
from services.simulator.notification import Json
from services.simulator.objects import Flavor, Item
from services.simulator.payloads.nova_legacy import ZONE
from services.simulator.payloads.times import micro
from services.simulator.world import World

_CONTROLLER = "ctl1"
_TYPES_SINCE, _SWAP_NUMBERS_SINCE, _EXTRA_SPECS_SINCE = 2, 75, 61
_UUIDS_SINCE, _ONE_POLICY_SINCE, _NO_USAGE_SINCE = 53, 64, 88
_AGGREGATE_UUIDS_SINCE, _PROJECTS_OF_GROUPS_SINCE = 41, 13
_HOST_GIB, _HOST_MIB, _HOST_VCPUS = 2000, 262_144, 64


def _bad_request(message: str) -> Refused:
    return fault("badRequest", 400, message)


def _forbidden(rule: str) -> Refused:
    return fault("forbidden", 403, f"Policy doesn't allow {rule} to be performed.")


def _not_found(what: str, ending: str = "could not be found.") -> "_NotFound":
    return _NotFound(what, ending)


class _NotFound:
    """Words the 404 of one kind."""

    def __init__(self, what: str, ending: str) -> None:
        self.what, self.ending = what, ending

    def __call__(self, id_: str) -> Refused:
        return fault("itemNotFound", 404, f"{self.what} {id_} {self.ending}")


def flavor_body(flavor: Flavor, minor: int) -> Json:
    """Return a flavor."""
    return {
        "id": flavor.id,
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram_mib,
        "disk": flavor.disk_gib,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "swap": "" if minor < _SWAP_NUMBERS_SINCE else 0,
        "rxtx_factor": 1.0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": flavor.public,
        "links": [],
        **({"extra_specs": {}} if minor >= _EXTRA_SPECS_SINCE else {}),
    }


def _flavors(asked: Asked) -> Sequence[Row]:
    """Return the flavors; a private one is shown as if it belonged to nobody we ask as."""
    return [
        Row(flavor.id, None if flavor.public else "private", flavor_body(flavor, asked.minor))
        for flavor in asked.world.flavors
    ]


def _keypairs(asked: Asked) -> Sequence[Row]:
    """Return the key pairs of one user: the caller, or whom an administrator names."""
    user_id = last(asked.request, "user_id") or asked.actor.user_id
    if user_id != asked.actor.user_id and not asked.actor.admin:
        raise _forbidden("os_compute_api:os-keypairs:index")
    return [
        Row(item.body["name"], None, keypair_body(item, asked.minor))
        for item in asked.world.table("keypair")
        if item.body["user_id"] == user_id
    ]


def keypair_body(item: Item, minor: int) -> Json:
    """Return a key pair as a read of it shows it; the private key is never shown again."""
    return {
        **item.body,
        **({"type": "ssh"} if minor >= _TYPES_SINCE else {}),
        "id": 1,
        "created_at": "2026-01-15T10:00:00.000000",
        "deleted": False,
        "deleted_at": None,
        "updated_at": None,
    }


def _keypair_in_list(body: Json) -> Json:
    """Return what lists show: wrapped, and not whose it is."""
    kept = ("name", "public_key", "fingerprint", "type")
    return {"keypair": {key: body[key] for key in kept if key in body}}


def keypair_not_found(id_: str) -> Refused:
    """Word the 404 of a key pair."""
    return fault("itemNotFound", 404, f"Keypair {id_} not found for user.")


def aggregate_body(item: Item, minor: int) -> Json:
    """Return an aggregate; its id is an integer."""
    body = dict(item.body)
    if minor < _AGGREGATE_UUIDS_SINCE:
        del body["uuid"]
    return body


def _aggregates(asked: Asked) -> Sequence[Row]:
    return [
        Row(item.id, None, aggregate_body(item, asked.minor))
        for item in asked.world.table("aggregate")
    ]


def server_group_body(item: Item, minor: int) -> Json:
    """Return a server group: several policies up to 2.63, one and its rules from then on."""
    body = dict(item.body)
    policy = body.pop("policy")
    if minor < _PROJECTS_OF_GROUPS_SINCE:
        del body["project_id"], body["user_id"]
    if minor < _ONE_POLICY_SINCE:
        return body | {"policies": [policy], "metadata": {}}
    return body | {"policy": policy, "rules": {}}


def _server_groups(asked: Asked) -> Sequence[Row]:
    return [
        Row(item.id, item.project_id, server_group_body(item, asked.minor))
        for item in asked.world.table("server_group")
    ]


def hypervisors(world: World, minor: int) -> list[Json]:
    """Return the hypervisors; how much is used shows up to 2.87."""
    running = Counter(server.host for server in world.servers)
    return [
        _hypervisor(world, number, host, running[host], minor)
        for number, host in enumerate(world.hosts, start=1)
    ]


def _hypervisor(world: World, number: int, host: str, running: int, minor: int) -> Json:
    body: Json = {
        "id": world.host_uuid("hypervisor", host) if minor >= _UUIDS_SINCE else number,
        "hypervisor_hostname": f"{host}.example.org",
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8_002_002,
        "host_ip": f"192.0.2.{number % 250}",
        "state": "up",
        "status": "disabled" if host in world.disabled_hosts else "enabled",
        "service": {
            "id": world.host_uuid("nova-compute", host) if minor >= _UUIDS_SINCE else number,
            "host": host,
            "disabled_reason": "maintenance" if host in world.disabled_hosts else None,
        },
    }
    if minor >= _NO_USAGE_SINCE:
        return body | {"uptime": f" {world.now:%H:%M:%S} up 4 days, 1 user", "servers": []}
    return body | {
        "vcpus": _HOST_VCPUS,
        "vcpus_used": min(running, _HOST_VCPUS),
        "memory_mb": _HOST_MIB,
        "memory_mb_used": running * 2048,
        "free_ram_mb": _HOST_MIB - running * 2048,
        "local_gb": _HOST_GIB,
        "local_gb_used": running * 20,
        "free_disk_gb": _HOST_GIB - running * 20,
        "disk_available_least": _HOST_GIB - running * 20,
        "running_vms": running,
        "current_workload": 0,
        "cpu_info": {"arch": "x86_64", "vendor": "Intel"},
    }


def compute_services(world: World, minor: int) -> list[Json]:
    """Return the services: one on each host, two on the controller; their heartbeat moves."""
    where = [("nova-scheduler", _CONTROLLER), ("nova-conductor", _CONTROLLER)]
    where += [("nova-compute", host) for host in world.hosts]
    return [
        {
            "id": world.host_uuid(binary, host) if minor >= _UUIDS_SINCE else number,
            "binary": binary,
            "host": host,
            "zone": ZONE if binary == "nova-compute" else "internal",
            "status": "disabled" if host in world.disabled_hosts else "enabled",
            "disabled_reason": "maintenance" if host in world.disabled_hosts else None,
            "state": "up",
            "forced_down": False,
            "updated_at": micro(world.now),
        }
        for number, (binary, host) in enumerate(where, start=1)
    ]


def zones(world: World) -> list[Json]:
    """Return the zones, that of the controllers among them."""
    found: dict[str, dict[str, Json]] = {}
    for service in compute_services(world, COMPUTE.highest):
        hosts = found.setdefault(service["zone"], {})
        hosts.setdefault(service["host"], {})[service["binary"]] = {
            "available": True,
            "active": service["status"] == "enabled",
            "updated_at": service["updated_at"],
        }
    return [
        {"zoneName": name, "zoneState": {"available": True}, "hosts": hosts}
        for name, hosts in sorted(found.items())
    ]


def _hypervisor_rows(asked: Asked) -> Sequence[Row]:
    return [Row(str(b["id"]), None, b) for b in hypervisors(asked.world, asked.minor)]


def _service_rows(asked: Asked) -> Sequence[Row]:
    return [Row(str(b["id"]), None, b) for b in compute_services(asked.world, asked.minor)]


def _zone_rows(asked: Asked) -> Sequence[Row]:
    return [Row(body["zoneName"], None, body) for body in zones(asked.world)]


def _means_private_too(text: str | None) -> bool:
    return text == "None"


COLLECTIONS = (
    Plain(
        path="/compute/v2.1/flavors",
        detail="detail",
        name="flavors",
        item="flavor",
        rows=_flavors,
        pages=Pages.LINKS,
        all_projects="is_public",
        means_all=_means_private_too,
        microversions=COMPUTE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Flavor"),
    ),
    Plain(
        path="/compute/v2.1/os-keypairs",
        name="keypairs",
        item="keypair",
        rows=_keypairs,
        pages=Pages.LINKS,
        listed=_keypair_in_list,
        microversions=COMPUTE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=keypair_not_found,
    ),
    Plain(
        path="/compute/v2.1/os-aggregates",
        name="aggregates",
        item="aggregate",
        rows=_aggregates,
        admin_rule="os_compute_api:os-aggregates:index",
        microversions=COMPUTE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Aggregate"),
    ),
    Plain(
        path="/compute/v2.1/os-server-groups",
        name="server_groups",
        item="server_group",
        rows=_server_groups,
        pages=Pages.OFFSET,
        all_projects="all_projects",
        # The mere presence of the parameter counts.
        means_all=lambda text: text is not None,
        microversions=COMPUTE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Instance group"),
    ),
    Plain(
        path="/compute/v2.1/os-hypervisors",
        detail="detail",
        name="hypervisors",
        item="hypervisor",
        rows=_hypervisor_rows,
        pages=Pages.LINKS,
        admin_rule="os_compute_api:os-hypervisors:list-detail",
        microversions=COMPUTE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Hypervisor with ID", "could not be found."),
    ),
    Plain(
        path="/compute/v2.1/os-services",
        name="services",
        item=None,
        rows=_service_rows,
        admin_rule="os_compute_api:os-services:list",
        filters={"host": "host", "binary": "binary"},
        microversions=COMPUTE,
        shows=False,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Service"),
    ),
    Plain(
        path="/compute/v2.1/os-availability-zone",
        detail="detail",
        name="availabilityZoneInfo",
        item=None,
        rows=_zone_rows,
        admin_rule="os_compute_api:os-availability-zone:detail",
        microversions=COMPUTE,
        shows=False,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Availability zone"),
    ),
)
