"""What an event is about and what the inventory holds: a resource, named by cloud, kind and id."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kinds of OpenStack resources, named as the OpenStack SDK names its resources.

    The catalogue may name kinds beyond these (they are plain strings there); these are the ones
    that code refers to.
    """

    SERVER = "server"
    FLAVOR = "flavor"
    KEYPAIR = "keypair"
    AGGREGATE = "aggregate"
    SERVER_GROUP = "server_group"
    HYPERVISOR = "hypervisor"
    COMPUTE_SERVICE = "compute_service"
    AVAILABILITY_ZONE = "availability_zone"

    NETWORK = "network"
    SUBNET = "subnet"
    PORT = "port"
    ROUTER = "router"
    FLOATING_IP = "floating_ip"
    SECURITY_GROUP = "security_group"
    SECURITY_GROUP_RULE = "security_group_rule"
    SUBNET_POOL = "subnet_pool"
    TRUNK = "trunk"
    QOS_POLICY = "qos_policy"
    NETWORK_AGENT = "network_agent"

    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    BACKUP = "backup"
    VOLUME_TYPE = "volume_type"
    ATTACHMENT = "attachment"

    IMAGE = "image"

    PROJECT = "project"
    USER = "user"
    GROUP = "group"
    DOMAIN = "domain"
    ROLE = "role"

    STACK = "stack"
    STACK_RESOURCE = "stack_resource"

    NODE = "node"
    BAREMETAL_PORT = "baremetal_port"

    LOAD_BALANCER = "load_balancer"
    LISTENER = "listener"
    POOL = "pool"
    MEMBER = "member"
    HEALTH_MONITOR = "health_monitor"
    L7_POLICY = "l7_policy"

    SHARE = "share"

    CONTAINER = "container"


class ResourceRef(NamedTuple):
    """Names one object of one cloud, e.g. (prod, server, 5f3c...).

    `kind` is a plain string, since users may catalogue kinds that we do not know.
    """

    cloud: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"
