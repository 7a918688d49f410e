"""Which objects an object names: pure, from the object as its API gives it.

A link stands with the object that tells it, once: a port names its network, so the network does not
name its ports. What an object belongs to (its project) is a column of every row, not a link.
Where an API tells a name and no id, the link is by name.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from shared.resource import Kind

Object = Mapping[str, Any]
VERSION = 2
"""Of the rules below. Raise it when they change: it is part of every row's digest, so that the next
full pass derives the links of every row anew."""


class Link(NamedTuple):
    """One object that an object names."""

    name: str
    """What it is to the object: `network`, `device`, `parent`."""
    kind: str
    by: Literal["id", "name"]
    key: str
    """Its id, or its name."""


def links_of(kind: str, item: Object, *, named: Container[str] | None = None) -> frozenset[Link]:
    """Return the links of an object of `kind`, only those `named` so if that is given.

    Whatever the object holds, reading it never raises.
    """
    found: set[Link] = set()
    for rule in _RULES.get(kind, ()):
        if named is None or rule.name in named:
            found.update(rule.read(item))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one link of a kind is found."""

    name: str
    kinds: tuple[str, ...]
    """What it may lead to."""
    read: Callable[[Object], Iterator[Link]]


def _values(value: Any, steps: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts at a path; a step `*` walks a list."""
    if not steps:
        if isinstance(value, str) and value:
            yield value
    elif steps[0] == "*":
        for item in value if isinstance(value, list) else ():
            yield from _values(item, steps[1:])
    elif isinstance(value, Mapping):
        yield from _values(value.get(steps[0]), steps[1:])


def _at(path: str, kind: Kind | str, name: str = "") -> Rule:
    """Link to what the ids at `path` name; the link is called as its kind unless told otherwise."""
    steps = tuple(path.split("/"))
    called = name or str(kind)

    def read(item: Object) -> Iterator[Link]:
        for id_ in _values(item, steps):
            yield Link(called, str(kind), "id", id_)

    return Rule(called, (str(kind),), read)


def _named_at(path: str, kind: Kind) -> Rule:
    """Link to what the names at `path` name."""
    steps = tuple(path.split("/"))

    def read(item: Object) -> Iterator[Link]:
        for name in _values(item, steps):
            yield Link(str(kind), str(kind), "name", name)

    return Rule(str(kind), (str(kind),), read)


def _flavor(server: Object) -> Iterator[Link]:
    """Link to the flavor: by id up to Nova 2.46, by name from then on."""
    flavor = server.get("flavor")
    if isinstance(flavor, dict):
        id_, name = flavor.get("id"), flavor.get("original_name")
        if isinstance(id_, str) and id_:
            yield Link("flavor", "flavor", "id", id_)
        elif isinstance(name, str) and name:
            yield Link("flavor", "flavor", "name", name)


def _keypair(server: Object) -> Iterator[Link]:
    """Link to the key pair, whose id is made of its owner and its name."""
    user, name = server.get("user_id"), server.get("key_name")
    if isinstance(user, str) and isinstance(name, str) and user and name:
        yield Link("keypair", "keypair", "id", f"{user}/{name}")


_DEVICES = (
    ("compute:", Kind.SERVER),
    ("network:router", Kind.ROUTER),
    ("network:ha_router", Kind.ROUTER),
    ("network:floatingip", Kind.FLOATING_IP),
    ("trunk:subport", Kind.TRUNK),
    ("baremetal:", Kind.SERVER),
)


def _device(port: Object) -> Iterator[Link]:
    """Link to what a port is plugged into; its owner says which kind that is."""
    device, owner = port.get("device_id"), port.get("device_owner")
    if isinstance(device, str) and isinstance(owner, str) and device:
        for starts, kind in _DEVICES:
            if owner.startswith(starts):
                yield Link("device", str(kind), "id", device)
                return


def _server_behind(floating_ip: Object) -> Iterator[Link]:
    details = floating_ip.get("port_details")
    if isinstance(details, dict):
        for link in _device(details):
            if link.kind == Kind.SERVER:
                yield Link("server", link.kind, "id", link.key)


def _parent_project(project: Object) -> Iterator[Link]:
    """Link to the parent; at the top of the tree that is the domain."""
    parent, domain = project.get("parent_id"), project.get("domain_id")
    if isinstance(parent, str) and parent:
        yield Link("parent", "domain" if parent == domain else "project", "id", parent)


_PHYSICAL = {
    "OS::Nova::Server": Kind.SERVER,
    "OS::Nova::ServerGroup": Kind.SERVER_GROUP,
    "OS::Nova::Flavor": Kind.FLAVOR,
    "OS::Neutron::Net": Kind.NETWORK,
    "OS::Neutron::Subnet": Kind.SUBNET,
    "OS::Neutron::SubnetPool": Kind.SUBNET_POOL,
    "OS::Neutron::Port": Kind.PORT,
    "OS::Neutron::Router": Kind.ROUTER,
    "OS::Neutron::FloatingIP": Kind.FLOATING_IP,
    "OS::Neutron::SecurityGroup": Kind.SECURITY_GROUP,
    "OS::Neutron::SecurityGroupRule": Kind.SECURITY_GROUP_RULE,
    "OS::Neutron::Trunk": Kind.TRUNK,
    "OS::Neutron::QoSPolicy": Kind.QOS_POLICY,
    "OS::Cinder::Volume": Kind.VOLUME,
    "OS::Cinder::VolumeType": Kind.VOLUME_TYPE,
    "OS::Glance::WebImage": Kind.IMAGE,
    "OS::Keystone::Project": Kind.PROJECT,
    "OS::Keystone::User": Kind.USER,
    "OS::Keystone::Group": Kind.GROUP,
    "OS::Keystone::Role": Kind.ROLE,
    "OS::Keystone::Domain": Kind.DOMAIN,
    "OS::Octavia::LoadBalancer": Kind.LOAD_BALANCER,
    "OS::Octavia::Listener": Kind.LISTENER,
    "OS::Octavia::Pool": Kind.POOL,
    "OS::Octavia::HealthMonitor": Kind.HEALTH_MONITOR,
    "OS::Octavia::L7Policy": Kind.L7_POLICY,
    "OS::Manila::Share": Kind.SHARE,
    "OS::Heat::Stack": Kind.STACK,
    "OS::Heat::ResourceGroup": Kind.STACK,
    "OS::Heat::AutoScalingGroup": Kind.STACK,
    "OS::Heat::InstanceGroup": Kind.STACK,
}
"""What a resource of Heat is in reality; templates as types (`*.yaml`) are stacks."""


def _physical(resource: Object) -> Iterator[Link]:
    """Link a resource of a stack to the real object."""
    type_, id_ = resource.get("resource_type"), resource.get("physical_resource_id")
    if isinstance(type_, str) and isinstance(id_, str) and id_:
        nested = type_.endswith((".yaml", ".template"))
        kind = Kind.STACK if nested else _PHYSICAL.get(type_)
        if kind is not None:
            yield Link("physical", str(kind), "id", id_)


_RULES: Mapping[str, tuple[Rule, ...]] = {
    Kind.SERVER: (
        _at("image/id", Kind.IMAGE),
        Rule("flavor", (Kind.FLAVOR,), _flavor),
        Rule("keypair", (Kind.KEYPAIR,), _keypair),
        _at("user_id", Kind.USER),
        _named_at("OS-EXT-SRV-ATTR:hypervisor_hostname", Kind.HYPERVISOR),
        _at("OS-EXT-AZ:availability_zone", Kind.AVAILABILITY_ZONE),
        _at("os-extended-volumes:volumes_attached/*/id", Kind.VOLUME),
    ),
    Kind.KEYPAIR: (_at("user_id", Kind.USER),),
    Kind.AGGREGATE: (_at("availability_zone", Kind.AVAILABILITY_ZONE),),
    Kind.SERVER_GROUP: (
        _at("members/*", Kind.SERVER, "member"),
        _at("user_id", Kind.USER),
    ),
    Kind.HYPERVISOR: (_at("service/id", Kind.COMPUTE_SERVICE),),
    Kind.COMPUTE_SERVICE: (_at("zone", Kind.AVAILABILITY_ZONE),),
    Kind.NETWORK: (_at("qos_policy_id", Kind.QOS_POLICY),),
    Kind.SUBNET: (
        _at("network_id", Kind.NETWORK),
        _at("subnetpool_id", Kind.SUBNET_POOL),
    ),
    Kind.PORT: (
        _at("network_id", Kind.NETWORK),
        _at("fixed_ips/*/subnet_id", Kind.SUBNET),
        _at("security_groups/*", Kind.SECURITY_GROUP),
        _at("qos_policy_id", Kind.QOS_POLICY),
        Rule("device", tuple(dict.fromkeys(kind for _, kind in _DEVICES)), _device),
    ),
    Kind.ROUTER: (
        _at("external_gateway_info/network_id", Kind.NETWORK, "gateway"),
        _at("external_gateway_info/external_fixed_ips/*/subnet_id", Kind.SUBNET, "gateway"),
    ),
    Kind.FLOATING_IP: (
        _at("port_id", Kind.PORT),
        _at("router_id", Kind.ROUTER),
        _at("floating_network_id", Kind.NETWORK),
        _at("qos_policy_id", Kind.QOS_POLICY),
        Rule("server", (Kind.SERVER,), _server_behind),
    ),
    Kind.SECURITY_GROUP_RULE: (
        _at("security_group_id", Kind.SECURITY_GROUP),
        _at("remote_group_id", Kind.SECURITY_GROUP, "remote_group"),
    ),
    Kind.TRUNK: (
        _at("port_id", Kind.PORT, "parent"),
        _at("sub_ports/*/port_id", Kind.PORT, "sub_port"),
    ),
    Kind.VOLUME: (
        _at("attachments/*/server_id", Kind.SERVER),
        _at("volume_type_id", Kind.VOLUME_TYPE),
        _at("snapshot_id", Kind.SNAPSHOT, "source"),
        _at("source_volid", Kind.VOLUME, "source"),
        _at("volume_image_metadata/image_id", Kind.IMAGE),
        _at("user_id", Kind.USER),
    ),
    Kind.SNAPSHOT: (_at("volume_id", Kind.VOLUME), _at("user_id", Kind.USER)),
    Kind.BACKUP: (
        _at("volume_id", Kind.VOLUME),
        _at("snapshot_id", Kind.SNAPSHOT),
        _at("user_id", Kind.USER),
    ),
    Kind.ATTACHMENT: (_at("volume_id", Kind.VOLUME), _at("instance", Kind.SERVER)),
    Kind.IMAGE: (
        _at("instance_uuid", Kind.SERVER, "snapshot_of"),
        _at("base_image_ref", Kind.IMAGE, "base"),
    ),
    Kind.PROJECT: (
        _at("domain_id", Kind.DOMAIN),
        Rule("parent", (Kind.PROJECT, Kind.DOMAIN), _parent_project),
    ),
    Kind.USER: (
        _at("domain_id", Kind.DOMAIN),
        _at("default_project_id", Kind.PROJECT, "default_project"),
    ),
    Kind.GROUP: (_at("domain_id", Kind.DOMAIN),),
    Kind.ROLE: (_at("domain_id", Kind.DOMAIN),),
    Kind.STACK: (_at("parent", Kind.STACK, "parent"),),
    Kind.STACK_RESOURCE: (
        _at("stack_id", Kind.STACK),
        Rule("physical", tuple(dict.fromkeys(map(str, _PHYSICAL.values()))), _physical),
    ),
    Kind.NODE: (_at("instance_uuid", Kind.SERVER), _at("parent_node", Kind.NODE, "parent")),
    Kind.BAREMETAL_PORT: (
        _at("node_uuid", Kind.NODE),
        _at("extra/vif_port_id", Kind.PORT),
    ),
    Kind.LOAD_BALANCER: (
        _at("vip_port_id", Kind.PORT, "vip_port"),
        _at("vip_network_id", Kind.NETWORK, "vip_network"),
        _at("vip_subnet_id", Kind.SUBNET, "vip_subnet"),
    ),
    Kind.LISTENER: (
        _at("loadbalancers/*/id", Kind.LOAD_BALANCER),
        _at("default_pool_id", Kind.POOL, "default_pool"),
    ),
    Kind.POOL: (
        _at("loadbalancers/*/id", Kind.LOAD_BALANCER),
        _at("listeners/*/id", Kind.LISTENER),
    ),
    Kind.MEMBER: (_at("pool_id", Kind.POOL), _at("subnet_id", Kind.SUBNET)),
    Kind.HEALTH_MONITOR: (_at("pools/*/id", Kind.POOL),),
    Kind.L7_POLICY: (
        _at("listener_id", Kind.LISTENER),
        _at("redirect_pool_id", Kind.POOL, "redirect_pool"),
    ),
    Kind.SHARE: (_at("share_network_id", "share_network"),),
}


def described() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield kind, name of a link and the kinds it leads to, each once, for the reference page."""
    for kind, rules in _RULES.items():
        for name, kinds in dict.fromkeys((rule.name, rule.kinds) for rule in rules):
            yield str(kind), name, kinds
