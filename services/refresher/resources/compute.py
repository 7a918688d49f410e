"""Nova. No filter takes several ids: more servers than one are read by `changes-since`.

One such list holds all servers that changed since then, those deleted meanwhile, too. Attaching a
volume or an address moves no `updated_at`: what the list leaves out is read alone. That a volume
goes is told, and not read.
"""

from urllib.parse import quote

from services.refresher.resources.identity import USER
from services.refresher.resources.model import (
    Address,
    Below,
    Life,
    Object,
    Payload,
    Resource,
    id_of,
    no_status,
    text_of,
    without,
)
from services.refresher.resources.server_payload import (
    SERVER_FOR_ADMINS,
    server_gone,
    server_is_passing,
    server_told,
)
from shared.openstack.paging import Paging
from shared.resource import Kind

# From 2.71 on, single servers have fields that the list has not, and would seem to change.
_MICROVERSION = (2, 70)
_LIVES = {
    # Between `shutdown.end` and `delete.end` a read can still find the server, as DELETED.
    "DELETED": Life.GONE,
    # Since 2.69, all that Nova knows of a server in a cell that is down.
    "UNKNOWN": Life.UNSURE,
}
_KEYPAIR_FIELDS = ("name", "type", "fingerprint", "public_key", "user_id")
# What changes with every boot and is told by no event; up to 2.87, and `uptime` from 2.88 on.
_USAGE = (
    "current_workload",
    "disk_available_least",
    "free_disk_gb",
    "free_ram_mb",
    "local_gb_used",
    "memory_mb_used",
    "running_vms",
    "uptime",
    "vcpus_used",
)


def server_life(server: Object) -> Life:
    """Read the status; SOFT_DELETED is living, since it can be restored until it is reclaimed."""
    return _LIVES.get(str(server.get("status")), Life.LIVING)


def service_life(service: Object) -> Life:
    """Look for an id: since 2.69 services in a cell that is down have a host and nothing else."""
    return Life.UNSURE if id_of(service) is None else Life.LIVING


def keypair_shape(item: Object) -> Object:
    """Return what lists tell, unwrapped; single ones have more, and would seem to change."""
    keypair = item.get("keypair")
    inner = keypair if isinstance(keypair, dict) else item
    kept = {key: inner[key] for key in _KEYPAIR_FIELDS if key in inner}
    # The list leaves out whose it is: the reader put it beside the wrapper.
    return kept | ({"user_id": item["user_id"]} if "user_id" in item else {})


def keypair_id(item: Object) -> str | None:
    """Return `<user id>/<name>`: a name is unique for its user only."""
    user, name = text_of(item, "user_id"), text_of(item, "name")
    return f"{user}/{name}" if user and name else None


def keypair_address(id_: str) -> Address:
    """Return where a key pair is read; only administrators may name another user."""
    user, _, name = id_.partition("/")
    return Address(f"os-keypairs/{quote(name, safe='')}", (("user_id", user),))


def zone_shape(zone: Object) -> Object:
    """Return a zone without the heartbeats of its services."""
    hosts = zone.get("hosts")
    if not isinstance(hosts, dict):
        return zone
    return {
        **zone,
        "hosts": {
            host: {name: without("updated_at")(service) for name, service in services.items()}
            for host, services in hosts.items()
        },
    }


def zone_status(zone: Object) -> str | None:
    """Return `available` or `unavailable`."""
    state = zone.get("zoneState")
    if not isinstance(state, dict):
        return None
    return "available" if state.get("available") else "unavailable"


SERVICE = Resource(
    kind=Kind.COMPUTE_SERVICE,
    service_type="compute",
    path="os-services",
    collection="services",
    item_path=None,
    item_key=None,
    name_field="binary",
    shape=without("updated_at"),
    project_field=None,
    life=service_life,
    status=lambda item: text_of(item, "state"),
    microversion=_MICROVERSION,
    oldest=(2, 53),
)
RESOURCES = (
    Resource(
        kind=Kind.SERVER,
        service_type="compute",
        path="servers/detail",
        collection="servers",
        item_path="servers",
        item_key="server",
        list_params=(("limit", "1000"),),
        wider=(("all_tenants", "1"),),
        private=True,
        since="changes-since",
        project_field="tenant_id",
        life=server_life,
        microversion=_MICROVERSION,
        urgent=True,
        payload=Payload(
            fields=server_told,
            for_admins=SERVER_FOR_ADMINS,
            gone=server_gone,
            passing=server_is_passing,
        ),
    ),
    Resource(
        kind=Kind.FLAVOR,
        service_type="compute",
        path="flavors/detail",
        collection="flavors",
        item_path="flavors",
        item_key="flavor",
        # None is the word that means public and private ones.
        list_params=(("is_public", "None"), ("limit", "1000")),
        list_all_from=5,
        ids_return=True,
        # An id of a few digits alone could stand in anybody's 404.
        named_by=lambda id_: (f"Flavor {id_}",),
        project_field=None,
        status=no_status,
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.KEYPAIR,
        service_type="compute",
        path="os-keypairs",
        collection="keypairs",
        item_path="os-keypairs",
        item_key="keypair",
        item_address=keypair_address,
        list_params=(("limit", "1000"),),
        filters=frozenset({"user_id"}),
        repeats=False,
        below=Below(
            parent=USER,
            field="user_id",
            address=lambda user: Address("os-keypairs", (("user_id", str(user["id"])),)),
            of_users=True,
        ),
        id_of=keypair_id,
        ids_return=True,
        named_by=lambda id_: (f"Keypair {id_.partition('/')[2]}",),
        shape=keypair_shape,
        project_field=None,
        status=no_status,
        microversion=_MICROVERSION,
        oldest=(2, 35),
    ),
    Resource(
        kind=Kind.AGGREGATE,
        service_type="compute",
        path="os-aggregates",
        collection="aggregates",
        item_path="os-aggregates",
        item_key="aggregate",
        list_all_from=3,
        named_by=lambda id_: (f"Aggregate {id_}",),
        project_field=None,
        status=no_status,
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.SERVER_GROUP,
        service_type="compute",
        path="os-server-groups",
        collection="server_groups",
        item_path="os-server-groups",
        item_key="server_group",
        list_params=(("limit", "1000"),),
        wider=(("all_projects", "True"),),
        wider_ignored=True,
        private=True,
        paging=Paging.OFFSET,
        list_all_from=20,
        # One group with members in a cell that is down breaks the list, too.
        broken_as_told_by=SERVICE,
        status=no_status,
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.HYPERVISOR,
        service_type="compute",
        path="os-hypervisors/detail",
        collection="hypervisors",
        item_path="os-hypervisors",
        item_key="hypervisor",
        list_params=(("limit", "1000"),),
        list_all_from=10,
        # Nova looks for one in each cell, until one has it.
        broken_as_told_by=SERVICE,
        name_field="hypervisor_hostname",
        shape=without(*_USAGE),
        project_field=None,
        status=lambda item: text_of(item, "state"),
        microversion=_MICROVERSION,
        # Ids were integers, unique in their cell only.
        oldest=(2, 53),
    ),
    SERVICE,
    Resource(
        kind=Kind.AVAILABILITY_ZONE,
        service_type="compute",
        path="os-availability-zone/detail",
        collection="availabilityZoneInfo",
        item_path=None,
        item_key=None,
        id_of=lambda item: text_of(item, "zoneName"),
        name_field="zoneName",
        shape=zone_shape,
        # Zones leave out what is in a cell that is down, hosts among it; services tell of it.
        vouched_for_by=SERVICE,
        project_field=None,
        status=zone_status,
        microversion=_MICROVERSION,
    ),
)
