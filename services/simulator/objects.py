"""The objects of the cloud, as rows of its databases: small, mutable, without behaviour.

Representations (API bodies, payloads) are made from these on demand, so that 100 000 servers with
their ports and volumes stay within some hundred megabytes. Times are aware and in UTC. What a
service keeps elsewhere (a server's ports, a group's rules) stands in the world's indexes.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Project:
    """A Keystone project."""

    id: str
    name: str
    main_network_id: str | None = None
    """The network that servers of this project are plugged into; None while it has none."""
    main_router_id: str | None = None
    """The router between that network and the external one."""


@dataclass(slots=True)
class User:
    """A Keystone user with a role in one project; `admin` sees everything."""

    id: str
    name: str
    project_id: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Flavor:
    """A Nova flavor; `number` is the database's integer, which legacy notifications show."""

    id: str
    name: str
    number: int
    vcpus: int
    ram_mib: int
    disk_gib: int
    public: bool = True


@dataclass(slots=True)
class Server:
    """A Nova instance. `updated_at` has whole seconds, as in Nova's database."""

    id: str
    number: int
    name: str
    project_id: str
    user_id: str
    flavor_id: str
    image_id: str
    reservation_id: str
    created_at: datetime
    updated_at: datetime
    host: str | None = None
    vm_state: str = "building"
    task_state: str | None = "scheduling"
    launched_at: datetime | None = None
    deleted_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    security_group_ids: list[str] = field(default_factory=list)
    volume_ids: list[str] = field(default_factory=list)
    key_name: str | None = None


@dataclass(slots=True)
class Stamped:
    """What every Neutron object has: `revision` rises with each change, also silent ones."""

    id: str
    name: str
    project_id: str
    created_at: datetime
    updated_at: datetime
    revision: int = 0


@dataclass(slots=True, kw_only=True)
class Network(Stamped):
    """A Neutron network."""

    external: bool = False
    segment: int = 0
    subnet_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Subnet(Stamped):
    """A /16; `prefix` is its first two octets, `next_host` where to look for an address."""

    network_id: str
    prefix: str
    next_host: int = 2


@dataclass(slots=True, kw_only=True)
class Port(Stamped):
    """A Neutron port; `fixed_ips` are pairs of subnet id and address."""

    network_id: str
    mac: str
    device_id: str = ""
    device_owner: str = ""
    host: str = ""
    status: str = "DOWN"
    fixed_ips: list[tuple[str, str]] = field(default_factory=list)
    security_group_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Router(Stamped):
    """A Neutron router; `gateway_port_id` is its port on the external network."""

    gateway_port_id: str | None = None


@dataclass(slots=True, kw_only=True)
class FloatingIP(Stamped):
    """A Neutron floating IP; its own address is a port that nobody announces."""

    network_id: str
    address: str
    own_port_id: str
    port_id: str | None = None
    fixed_ip: str | None = None
    router_id: str | None = None
    status: str = "DOWN"


@dataclass(slots=True, kw_only=True)
class SecurityGroup(Stamped):
    """A Neutron security group; its rules are embedded in its representation."""

    description: str = ""
    rule_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class SecurityGroupRule(Stamped):
    """A rule of a security group (its `name` is unused, as in Neutron)."""

    group_id: str
    direction: str = "ingress"
    ethertype: str = "IPv4"
    protocol: str | None = None
    port: int | None = None
    remote_group_id: str | None = None


@dataclass(slots=True, kw_only=True)
class SubnetPool(Stamped):
    """A Neutron subnet pool."""

    prefix: str


@dataclass(slots=True, kw_only=True)
class Trunk(Stamped):
    """A Neutron trunk; `sub_port_ids` are plugged with VLAN ids from 100 on."""

    port_id: str
    sub_port_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class QoSPolicy(Stamped):
    """A Neutron QoS policy; `rules` are pairs of id and bandwidth in kbit/s."""

    rules: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class NetworkAgent(Stamped):
    """An agent of Neutron on a host; agents have no project and no revision."""

    host: str
    alive: bool = True


@dataclass(slots=True)
class Item:
    """An object without behaviour of its own: its row is what its API shows.

    `id` is what the inventory knows it by; `body` may lack what depends on the caller.
    """

    id: str
    project_id: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment of a volume to a server."""

    id: str
    server_id: str
    host: str
    device: str
    attached_at: datetime


@dataclass(slots=True)
class Volume:
    """A Cinder volume; never updated rows have `updated_at` None, as in Cinder's database."""

    id: str
    number: int
    name: str
    project_id: str
    user_id: str
    size_gib: int
    host: str
    created_at: datetime
    updated_at: datetime | None = None
    launched_at: datetime | None = None
    status: str = "creating"
    bootable: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(slots=True)
class Image:
    """A Glance image; `size_bytes` is None before the upload."""

    id: str
    number: int
    name: str
    project_id: str
    created_at: datetime
    updated_at: datetime
    visibility: str = "shared"
    status: str = "queued"
    size_bytes: int | None = None
    checksum: str | None = None
    deleted_at: datetime | None = None
    properties: dict[str, str] = field(default_factory=dict)
