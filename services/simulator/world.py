"""The state of the cloud: every object by id, the indexes between them, its time and its dice.

Pure: whoever drives the world sets `now` before each step. Ids come from the seeded random source,
so the same seed gives the same cloud.
"""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from services.simulator.dialect import Dialect
from services.simulator.notification import (
    NOTIFICATIONS,
    Actor,
    Json,
    Notification,
    Request,
)
from services.simulator.objects import (
    Flavor,
    FloatingIP,
    Image,
    Item,
    Network,
    NetworkAgent,
    Port,
    Project,
    QoSPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Server,
    Stamped,
    Subnet,
    SubnetPool,
    Trunk,
    User,
    Volume,
)
from services.simulator.table import Table

_DELETED_SERVERS_KEPT = 20_000
_UUID_VARIANT = (1 << 128) - 1 ^ (0xF << 76) ^ (0x3 << 62)
_UUID_VERSION_4 = (0x4 << 76) | (0x2 << 62)
_LAST_HOST = 65_000


class World:
    """Everything the services know, and what they would keep in one database each."""

    def __init__(self, random: Random, now: datetime, dialect: Dialect) -> None:
        self.random = random
        self.now = now
        self.dialect = dialect
        self.projects: Table[Project] = Table()
        self.users: Table[User] = Table()
        self.flavors: Table[Flavor] = Table()
        self.images: Table[Image] = Table()
        self.networks: Table[Network] = Table()
        self.subnets: Table[Subnet] = Table()
        self.ports: Table[Port] = Table()
        self.routers: Table[Router] = Table()
        self.floating_ips: Table[FloatingIP] = Table()
        self.security_groups: Table[SecurityGroup] = Table()
        self.rules: Table[SecurityGroupRule] = Table()
        self.subnet_pools: Table[SubnetPool] = Table()
        self.trunks: Table[Trunk] = Table()
        self.qos_policies: Table[QoSPolicy] = Table()
        self.agents: Table[NetworkAgent] = Table()
        self.servers: Table[Server] = Table()
        self.volumes: Table[Volume] = Table()
        self.items: dict[str, Table[Item]] = {}
        """What is kept as its API shows it, by kind; see `table`."""
        self.deleted_servers: dict[str, Server] = {}
        self.deleted_stacks: dict[str, Item] = {}
        self.offered: frozenset[str] = frozenset()
        """The services that this cloud has, as `simulator.services` names them."""
        self.hosts: list[str] = []
        self.disabled_hosts: set[str] = set()
        self.usual_servers = 0
        """How many servers the cloud has on average; the life leans towards it."""
        self.held: Counter[str] = Counter()
        """How many operations in flight need an object; what is held must not be deleted."""
        self.services: dict[str, Actor] = {}
        """Service users, by name: Nova talks to Neutron and Cinder as one of them."""
        self.owners: dict[str, Actor] = {}
        """Project id to whoever acts in it; nobody acts in `admin` and `service`."""
        self.floating_ip_of: dict[str, str] = {}
        """Port id to the id of the floating IP that points at it."""
        self.floating_ip_shown: dict[str, str] = {}
        """The same as Nova's network info cache has it, which learns it later from Neutron."""
        self._ports_of: dict[str, dict[str, None]] = {}
        self._default_groups: dict[str, str] = {}
        self._addresses: set[tuple[str, str]] = set()
        self._numbers: Counter[str] = Counter()
        self._last_stamp = now

    def table(self, kind: str) -> Table[Item]:
        """Return the items of a kind; see `services.simulator.objects.Item`."""
        return self.items.setdefault(kind, Table())

    def second(self) -> datetime:
        """Return the present time as a database column of whole seconds keeps it."""
        return self.now.replace(microsecond=0)

    def uuid(self) -> str:
        """Return a new UUID version 4, with dashes."""
        bits = self.random.getrandbits(128) & _UUID_VARIANT | _UUID_VERSION_4
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hex_id(self) -> str:
        """Return a new id of 32 hexadecimal digits, as Keystone's are."""
        return f"{self.random.getrandbits(128):032x}"

    def host_uuid(self, name: str, host: str) -> str:
        """Return the id of a service or hypervisor, the same as long as its host exists."""
        digest = hashlib.sha256(f"{name} {host}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=4))

    def number(self, sequence: str) -> int:
        """Return the next integer of a sequence, as an auto-increment column would."""
        self._numbers[sequence] += 1
        return self._numbers[sequence]

    def stamp(self) -> datetime:
        """Return a time for a notification, never the same twice."""
        self._last_stamp = max(self.now, self._last_stamp + timedelta(microseconds=1))
        return self._last_stamp

    def request(self, actor: Actor) -> Request:
        """Return a new API request of `actor`."""
        return Request(f"req-{self.uuid()}", actor)

    def notification(
        self,
        exchange: str,
        publisher: str,
        event_type: str,
        payload: Json,
        context: Json,
        *,
        priority: str = "INFO",
        topic: str = NOTIFICATIONS,
    ) -> Notification:
        """Return a notification with ids and time; `timestamp` is naive UTC with a blank."""
        message = {
            "message_id": self.uuid(),
            "publisher_id": publisher,
            "event_type": event_type,
            "priority": priority,
            "timestamp": str(self.stamp().replace(tzinfo=None)),
            "payload": payload,
            **context,
            "_unique_id": self.hex_id(),
        }
        return Notification(exchange, topic, message)

    def actor(self, user_id: str) -> Actor:
        """Return a user as the caller of an API."""
        user = self.users[user_id]
        project = self.projects[user.project_id]
        return Actor(user.id, user.name, project.id, project.name, user.admin)

    def allocate(self, subnet: Subnet) -> str:
        """Return an address of `subnet` that no port has, and keep it."""
        while True:
            host = subnet.next_host
            subnet.next_host = host + 1 if host < _LAST_HOST else 2
            address = f"{subnet.prefix}.{host >> 8}.{host & 255}"
            if (subnet.id, address) not in self._addresses:
                return address

    def new_port(self, port: Port) -> Port:
        """Add a port and index it."""
        self.ports.add(port)
        self._ports_of.setdefault(port.device_id, {})[port.id] = None
        self._addresses.update(port.fixed_ips)
        return port

    def drop_port(self, port: Port) -> None:
        """Remove a port; a floating IP that points at it is freed, and Neutron tells nobody."""
        self.ports.remove(port.id)
        self.floating_ip_shown.pop(port.id, None)
        floating_id = self.floating_ip_of.pop(port.id, None)
        if floating_id is not None:
            floating = self.floating_ips[floating_id]
            floating.port_id = floating.fixed_ip = floating.router_id = None
            floating.status = "DOWN"
            self.touch(floating)
        siblings = self._ports_of[port.device_id]
        del siblings[port.id]
        if not siblings:
            del self._ports_of[port.device_id]
        self._addresses.difference_update(port.fixed_ips)

    def touch(self, item: Stamped) -> None:
        """Count a change of a Neutron object."""
        item.revision += 1
        item.updated_at = self.now

    def tell_nova(self, port_id: str) -> None:
        """Let Nova learn which floating IP points at a port now."""
        floating_id = self.floating_ip_of.get(port_id)
        if floating_id is None:
            self.floating_ip_shown.pop(port_id, None)
        else:
            self.floating_ip_shown[port_id] = floating_id

    def ports_of(self, device_id: str) -> list[Port]:
        """Return the ports of a server, router or floating IP."""
        return [self.ports[id_] for id_ in self._ports_of.get(device_id, ())]

    def default_group(self, project_id: str) -> SecurityGroup:
        """Return a project's default security group.

        Neutron makes it, without telling anybody, with the project's first network call.
        """
        id_ = self._default_groups.get(project_id)
        if id_ is None:
            group = self.security_groups.add(
                SecurityGroup(
                    self.uuid(),
                    "default",
                    project_id,
                    self.now,
                    self.now,
                    description="Default security group",
                )
            )
            self._default_groups[project_id] = id_ = group.id
            for direction, remote in (("egress", None), ("ingress", group.id)):
                self.new_rule(group, direction=direction, remote_group_id=remote)
        return self.security_groups[id_]

    def is_default_group(self, group: SecurityGroup) -> bool:
        """Tell whether `group` came with its project; such a one cannot be deleted."""
        return self._default_groups.get(group.project_id) == group.id

    def has_default_group(self, project_id: str) -> bool:
        """Tell whether a project has made its first network call."""
        return project_id in self._default_groups

    def new_rule(
        self,
        group: SecurityGroup,
        *,
        direction: str = "ingress",
        port: int | None = None,
        remote_group_id: str | None = None,
    ) -> SecurityGroupRule:
        """Add a rule to a group."""
        rule = self.rules.add(
            SecurityGroupRule(
                self.uuid(),
                "",
                group.project_id,
                self.now,
                self.now,
                group_id=group.id,
                direction=direction,
                protocol="tcp" if port else None,
                port=port,
                remote_group_id=remote_group_id,
            )
        )
        group.rule_ids.append(rule.id)
        return rule

    def bury(self, server: Server) -> None:
        """Move a server to the deleted rows; the oldest of many are archived, that is, gone."""
        self.servers.remove(server.id)
        self.deleted_servers[server.id] = server
        while len(self.deleted_servers) > _DELETED_SERVERS_KEPT:
            del self.deleted_servers[next(iter(self.deleted_servers))]
