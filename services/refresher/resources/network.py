"""Neutron: any field is a filter, and a repeated one means any of its values.

Admins see all projects unasked. `revision_number` tells which of two observations is newer, so that
the object that an event carries can be taken in without a read. It is what the caller of that
request may see: members are not shown where a port is bound, or how a network is provided.
"""

from typing import Any

from services.refresher.resources.model import (
    Object,
    Payload,
    Resource,
    no_status,
    repeated_ids,
    text_of,
    without,
)
from shared.openstack.paging import Params
from shared.resource import Kind

_PAGE: Params = (("limit", "500"),)


def port_is_settling(port: Object) -> bool:
    """Whether a server's port is still down: its agent brings it up without any event."""
    owner = text_of(port, "device_owner") or ""
    return port.get("status") == "DOWN" and owner.startswith("compute:")


def floating_ip_is_settling(floating_ip: Object) -> bool:
    """Whether an agent has yet to say that an association works, or that one has ended."""
    return (floating_ip.get("status") == "ACTIVE") != bool(floating_ip.get("port_id"))


def agent_status(agent: Object) -> str | None:
    """Return `up` or `down`: whether the agent was heard of lately."""
    alive = agent.get("alive")
    return None if alive is None else "up" if alive else "down"


def network_as_read(network: Object) -> Object:
    """Leave out `is_default` of what is not external: replies to requests have it, reads do not."""
    return network if network.get("router:external") else without("is_default")(network)


def security_group_as_read(group: Object) -> Object:
    """Leave out what reads by id say of a group's rules, and lists say of the rules alone."""
    rules = group.get("security_group_rules")
    if not isinstance(rules, list):
        return group
    shaped = [without("belongs_to_default_sg")(rule) for rule in rules if isinstance(rule, dict)]
    return {**group, "security_group_rules": shaped}


_PREFIX_LENGTHS = frozenset({"default_prefixlen", "min_prefixlen", "max_prefixlen"})


def subnet_pool_as_read(pool: Object) -> Object:
    """Spell lengths of prefixes as reads do, with quotes; the reply to an update has numbers."""
    return {
        field: str(value) if field in _PREFIX_LENGTHS and isinstance(value, int) else value
        for field, value in pool.items()
    }


def _resource(kind: Kind, path: str, item_key: str, *filters: str, **different: Any) -> Resource:
    fields: dict[str, Any] = {
        "kind": kind,
        "service_type": "network",
        "path": path,
        "collection": path.rpartition("/")[2].replace("-", "_"),
        "item_path": path,
        "item_key": item_key,
        "list_params": _PAGE,
        "ids_filter": repeated_ids,
        "filters": frozenset({"project_id", *filters}),
        "urgent": kind in (Kind.PORT, Kind.FLOATING_IP),
        "payload": Payload(whole=True),
    }
    return Resource(**fields | different)


_NETWORK_FOR_ADMINS = frozenset(
    {"provider:network_type", "provider:physical_network", "provider:segmentation_id"}
)
_PORT_FOR_ADMINS = frozenset(
    {"binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type"}
)
RESOURCES = (
    _resource(
        Kind.NETWORK,
        "networks",
        "network",
        payload=Payload(
            whole=True,
            hidden=frozenset({"provider:network_type"}),
            for_admins=_NETWORK_FOR_ADMINS,
        ),
        shape=network_as_read,
    ),
    _resource(Kind.SUBNET, "subnets", "subnet", "network_id", "subnetpool_id"),
    _resource(
        Kind.PORT,
        "ports",
        "port",
        "device_id",
        "network_id",
        "device_owner",
        settling=port_is_settling,
        # A boot ends with an event, after which the ports of the server are listed anyway.
        payload=Payload(
            whole=True,
            hidden=frozenset({"binding:host_id"}),
            for_admins=_PORT_FOR_ADMINS,
            passing=port_is_settling,
        ),
    ),
    _resource(Kind.ROUTER, "routers", "router", private=True),
    _resource(
        Kind.FLOATING_IP,
        "floatingips",
        "floatingip",
        "port_id",
        "router_id",
        "floating_network_id",
        private=True,
        settling=floating_ip_is_settling,
    ),
    _resource(
        Kind.SECURITY_GROUP,
        "security-groups",
        "security_group",
        shape=security_group_as_read,
    ),
    _resource(
        Kind.SECURITY_GROUP_RULE,
        "security-group-rules",
        "security_group_rule",
        "security_group_id",
        status=no_status,
    ),
    _resource(
        Kind.SUBNET_POOL,
        "subnetpools",
        "subnetpool",
        status=no_status,
        shape=subnet_pool_as_read,
    ),
    _resource(Kind.TRUNK, "trunks", "trunk", "port_id", private=True, extension="trunk"),
    _resource(Kind.QOS_POLICY, "qos/policies", "policy", status=no_status, extension="qos"),
    _resource(
        Kind.NETWORK_AGENT,
        "agents",
        "agent",
        name_field="binary",
        shape=without("heartbeat_timestamp"),
        project_field=None,
        filters=frozenset({"host", "binary"}),
        status=agent_status,
        extension="agent",
    ),
)
