"""Neutron's objects as its API shows them, which is what its notifications carry.

The shape depends on the caller: policy takes `binding:host_id` and its kin, and `provider:*`, from
what members see (captured from Neutron 29, both callers).
"""

from services.simulator.notification import Json
from services.simulator.objects import (
    FloatingIP,
    Network,
    NetworkAgent,
    Port,
    QoSPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Stamped,
    Subnet,
    SubnetPool,
    Trunk,
)
from services.simulator.payloads.times import zulu
from services.simulator.world import World


def _tail(item: Stamped) -> Json:
    return {
        "tags": [],
        "revision_number": item.revision,
        "created_at": zulu(item.created_at),
        "updated_at": zulu(item.updated_at),
    }


def network(world: World, item: Network, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a network; its subnets are ids."""
    provider: Json = {
        "provider:network_type": "flat" if item.external else "vxlan",
        "provider:physical_network": "public" if item.external else None,
        "provider:segmentation_id": None if item.external else item.segment,
    }
    return {
        "id": item.id,
        "name": item.name,
        "tenant_id": item.project_id,
        "project_id": item.project_id,
        "admin_state_up": True,
        "mtu": 1500 if item.external else 1450,
        "status": "ACTIVE",
        "subnets": list(item.subnet_ids),
        "shared": False,
        "port_security_enabled": True,
        "qos_policy_id": None,
        "router:external": item.external,
        **(provider if admin else {}),
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "description": "",
        **_tail(item),
    }


def subnet(world: World, item: Subnet, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a subnet."""
    return {
        "id": item.id,
        "name": item.name,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "network_id": item.network_id,
        "ip_version": 4,
        "subnetpool_id": None,
        "enable_dhcp": True,
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "gateway_ip": f"{item.prefix}.0.1",
        "cidr": f"{item.prefix}.0.0/16",
        "allocation_pools": [{"start": f"{item.prefix}.0.2", "end": f"{item.prefix}.255.254"}],
        "host_routes": [],
        "dns_nameservers": [],
        "description": "",
        "router:external": world.networks[item.network_id].external,
        "service_types": [],
        **_tail(item),
    }


def port(world: World, item: Port, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a port."""
    bound = bool(item.host)
    binding: Json = {
        "binding:profile": {},
        "binding:host_id": item.host,
        "binding:vif_type": "ovs" if bound else "unbound",
        "binding:vif_details": {"port_filter": True} if bound else {},
        "resource_request": None,
    }
    return {
        "id": item.id,
        "name": item.name,
        "network_id": item.network_id,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "mac_address": item.mac,
        "admin_state_up": True,
        "status": item.status,
        "device_id": item.device_id,
        "device_owner": item.device_owner,
        "fixed_ips": [{"subnet_id": where, "ip_address": ip} for where, ip in item.fixed_ips],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": list(item.security_group_ids),
        "description": "",
        "binding:vnic_type": "normal",
        **(binding if admin else {}),
        "port_security_enabled": True,
        "qos_policy_id": None,
        "qos_network_policy_id": None,
        **_tail(item),
    }


def router(world: World, item: Router, *, admin: bool) -> Json:
    """Return a router with its gateway's addresses."""
    gateway = None
    if item.gateway_port_id is not None:
        outside = world.ports[item.gateway_port_id]
        gateway = {
            "network_id": outside.network_id,
            "external_fixed_ips": [
                {"subnet_id": where, "ip_address": ip} for where, ip in outside.fixed_ips
            ],
            "enable_snat": True,
        }
    return {
        "id": item.id,
        "name": item.name,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "admin_state_up": True,
        "status": "ACTIVE",
        "external_gateway_info": gateway,
        "description": "",
        "availability_zones": [],
        "availability_zone_hints": [],
        "routes": [],
        "flavor_id": None,
        **({"distributed": False, "ha": False} if admin else {}),
        **_tail(item),
    }


def floating_ip(world: World, item: FloatingIP, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a floating IP; the server behind it is only in `port_details`."""
    details = None
    if item.port_id is not None:
        target = world.ports[item.port_id]
        details = {
            "name": target.name,
            "network_id": target.network_id,
            "mac_address": target.mac,
            "admin_state_up": True,
            "status": target.status,
            "device_id": target.device_id,
            "device_owner": target.device_owner,
        }
    return {
        "id": item.id,
        "tenant_id": item.project_id,
        "project_id": item.project_id,
        "floating_ip_address": item.address,
        "floating_network_id": item.network_id,
        "router_id": item.router_id,
        "port_id": item.port_id,
        "fixed_ip_address": item.fixed_ip,
        "status": item.status,
        "description": "",
        "qos_policy_id": None,
        "port_details": details,
        "port_forwardings": [],
        **_tail(item),
    }


def security_group(world: World, item: SecurityGroup, *, admin: bool) -> Json:
    """Return a security group with its rules in full."""
    rules = [world.rules[id_] for id_ in item.rule_ids]
    return {
        "id": item.id,
        "name": item.name,
        "stateful": True,
        "tenant_id": item.project_id,
        "project_id": item.project_id,
        "description": item.description,
        "shared": False,
        "security_group_rules": [security_group_rule(world, rule, admin=admin) for rule in rules],
        **_tail(item),
    }


def security_group_rule(world: World, item: SecurityGroupRule, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a rule; rules have no tags."""
    tail = _tail(item)
    del tail["tags"]
    return {
        "id": item.id,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "security_group_id": item.group_id,
        "ethertype": item.ethertype,
        "direction": item.direction,
        "protocol": item.protocol,
        "port_range_min": item.port,
        "port_range_max": item.port,
        "remote_ip_prefix": None,
        "remote_address_group_id": None,
        "normalized_cidr": None,
        "remote_group_id": item.remote_group_id,
        "belongs_to_default_sg": False,
        "description": "",
        **tail,
    }


def subnet_pool(world: World, item: SubnetPool, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a subnet pool; its prefix lengths are texts."""
    return {
        "id": item.id,
        "name": item.name,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "default_prefixlen": "24",
        "min_prefixlen": "8",
        "max_prefixlen": "32",
        "is_default": False,
        "shared": False,
        "prefixes": [item.prefix],
        "ip_version": 4,
        "default_quota": None,
        "address_scope_id": None,
        "description": "",
        **_tail(item),
    }


def trunk(world: World, item: Trunk, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a trunk with its sub-ports."""
    return {
        "id": item.id,
        "name": item.name,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "admin_state_up": True,
        "port_id": item.port_id,
        "status": "DOWN",
        "sub_ports": [
            {"port_id": port_id, "segmentation_type": "vlan", "segmentation_id": number}
            for number, port_id in enumerate(item.sub_port_ids, start=100)
        ],
        "description": "",
        **_tail(item),
    }


def qos_policy(world: World, item: QoSPolicy, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return a QoS policy with its rules."""
    return {
        "id": item.id,
        "name": item.name,
        "project_id": item.project_id,
        "tenant_id": item.project_id,
        "shared": False,
        "is_default": False,
        "rules": [
            {
                "id": id_,
                "qos_policy_id": item.id,
                "type": "bandwidth_limit",
                "max_kbps": kbps,
                "max_burst_kbps": 0,
                "direction": "egress",
            }
            for id_, kbps in item.rules
        ],
        "description": "",
        **_tail(item),
    }


def network_agent(world: World, item: NetworkAgent, *, admin: bool) -> Json:  # noqa: ARG001 -- one shape for all
    """Return an agent; its heartbeat moves all the time."""
    return {
        "id": item.id,
        "agent_type": "Open vSwitch agent",
        "binary": item.name,
        "topic": "N/A",
        "host": item.host,
        "availability_zone": None,
        "admin_state_up": True,
        "alive": item.alive,
        "started_at": f"{item.created_at:%Y-%m-%d %H:%M:%S}",
        "created_at": f"{item.created_at:%Y-%m-%d %H:%M:%S}",
        "heartbeat_timestamp": f"{world.now:%Y-%m-%d %H:%M:%S}",
        "resources_synced": None,
        "description": None,
        "configurations": {"bridge_mappings": {}, "tunnel_types": ["vxlan"]},
    }
