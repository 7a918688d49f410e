"""Neutron: any field is a filter, and a repeated one means any of its values.

Admins see all projects unasked. `revision_number` tells which of two observations is newer, so that
the object that an event carries can be taken in without a read. It is what the caller of that
request may see: members are not shown where a port is bound, or how a network is provided.
"""

from collections.abc import Callable, Sequence

from services.refresher.resources.port import Object, Payload, Resource, text_of
from shared.openstack.paging import Params
from shared.resource import Kind

_PAGE: Params = (("limit", "500"),)


def by_ids(ids: Sequence[str]) -> Params:
    """Ask for the objects with any of `ids`."""
    return tuple(("id", id_) for id_ in ids)


def port_is_settling(port: Object) -> bool:
    """Whether a server's port is still down: its agent brings it up without any event."""
    owner = text_of(port, "device_owner") or ""
    return port.get("status") == "DOWN" and owner.startswith("compute:")


def floating_ip_is_settling(floating_ip: Object) -> bool:
    """Whether an agent has yet to say that an association works, or that one has ended."""
    return (floating_ip.get("status") == "ACTIVE") != bool(floating_ip.get("port_id"))


def _resource(
    kind: Kind,
    path: str,
    item_key: str,
    *filters: str,
    settling: Callable[[Object], bool] = lambda _: False,
    hidden: str | None = None,
) -> Resource:
    return Resource(
        kind=kind,
        service_type="network",
        path=path,
        collection=path.replace("-", "_"),
        item_path=path,
        item_key=item_key,
        list_params=_PAGE,
        ids_filter=by_ids,
        filters=frozenset({"project_id", *filters}),
        settling=settling,
        payload=Payload(whole=True, hidden=frozenset({hidden} if hidden else ())),
    )


RESOURCES = (
    _resource(Kind.NETWORK, "networks", "network", hidden="provider:network_type"),
    _resource(Kind.SUBNET, "subnets", "subnet", "network_id", "subnetpool_id"),
    _resource(
        Kind.PORT,
        "ports",
        "port",
        "device_id",
        "network_id",
        "device_owner",
        settling=port_is_settling,
        hidden="binding:host_id",
    ),
    _resource(Kind.ROUTER, "routers", "router"),
    _resource(
        Kind.FLOATING_IP,
        "floatingips",
        "floatingip",
        "port_id",
        "router_id",
        "floating_network_id",
        settling=floating_ip_is_settling,
    ),
    _resource(Kind.SECURITY_GROUP, "security-groups", "security_group"),
)
