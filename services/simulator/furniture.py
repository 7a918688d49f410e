"""What else stands in the cloud on its first day, beside servers and what belongs to them."""

from services.simulator.operations import extras
from services.simulator.operations.baremetal_ports import make_baremetal_port
from services.simulator.operations.cinder_copies import (
    finish_backup,
    finish_snapshot,
    make_backup,
    make_snapshot,
)
from services.simulator.operations.identities import DOMAIN, GROUP, ROLE, make_named
from services.simulator.operations.neutron_lists import (
    make_agent,
    make_qos_policy,
    make_subnet_pool,
    make_trunk,
)
from services.simulator.operations.nova_lists import (
    make_aggregate,
    make_keypair,
    make_server_group,
)
from services.simulator.operations.ports import make_port
from services.simulator.operations.stacks import complete, make_resource, make_stack
from services.simulator.operations.volume_types import make_volume_type
from services.simulator.payloads.cinder import VOLUME_TYPE_ID, VOLUME_TYPE_NAME
from services.simulator.world import World

_ROLES = ("admin", "member", "reader")
_EVERY_SNAPSHOT, _EVERY_BACKUP = 5, 8
_KEY = "laptop"


def furnish(world: World) -> None:
    """Add the rest to a world that has its servers."""
    _identities(world)
    _compute(world)
    _network(world)
    _storage(world)
    if "orchestration" in world.offered:
        _stacks(world)
    if "load-balancer" in world.offered:
        _balancers(world)
    if "baremetal" in world.offered:
        for number in range(1, 4):
            make_baremetal_port(world, extras.make_node(world, f"metal-{number}"))
    for owner in (world.services["admin"], *world.owners.values()):
        request = world.request(owner)
        if "share" in world.offered:
            extras.make_share(world, request, "home")
        if "object-store" in world.offered:
            for name in ("backups", "images"):
                extras.make_container(world, owner.project_id, name)


def _stacks(world: World) -> None:
    """Add a stack with one nested in it, to the one project whose stacks an administrator sees."""
    request = world.request(world.services["admin"])
    stack = make_stack(world, request, "site")
    nested = make_stack(world, request, "site-group", parent=stack)
    make_resource(world, stack, "group", "OS::Heat::ResourceGroup", nested.id)
    for number, server in enumerate(list(world.servers)[:2]):
        make_resource(world, nested, str(number), "OS::Nova::Server", server.id)
    for each in (stack, nested):
        complete(world, each, "CREATE")


def _balancers(world: World) -> None:
    for owner in list(world.owners.values())[:2]:
        network = world.networks[world.projects[owner.project_id].main_network_id or ""]
        balancer = extras.make_balancer(world, world.request(owner), network, "front")
        extras.make_tree(world, balancer)


def _identities(world: World) -> None:
    make_named(world, DOMAIN, "Default", id_="default")
    for name in _ROLES:
        make_named(world, ROLE, name, id_=f"role-{name}")
    for name in ("operators", "developers"):
        make_named(world, GROUP, name)


def _compute(world: World) -> None:
    for owner in world.owners.values():
        make_keypair(world, owner.user_id, _KEY)
        make_server_group(world, owner.project_id, owner.user_id, "spread")
    for number, server in enumerate(world.servers):
        if number % 2:
            server.key_name = _KEY
    groups = {item.project_id: item for item in world.table("server_group")}
    for server in list(world.servers)[:10]:
        groups[server.project_id].body["members"].append(server.id)
    for name, hosts in (("first", world.hosts[:2]), ("rest", world.hosts[2:20])):
        make_aggregate(world, name).body["hosts"].extend(hosts)


def _network(world: World) -> None:
    admin = world.services["admin"].project_id
    make_subnet_pool(world, admin, "shared-pool")
    make_qos_policy(world, admin, "bronze", 10_000)
    for host in world.hosts:
        make_agent(world, host)
    for group in world.security_groups:
        if group.name == "web":
            world.new_rule(group, port=443)
            world.touch(group)
    for owner in list(world.owners.values())[:1]:
        network = world.networks[world.projects[owner.project_id].main_network_id or ""]
        parent = make_port(world, network, project_id=owner.project_id)
        trunk = make_trunk(world, parent, "uplink")
        child = make_port(
            world,
            network,
            project_id=owner.project_id,
            device_id=trunk.id,
            device_owner="trunk:subport",
        )
        trunk.sub_port_ids.append(child.id)


def _storage(world: World) -> None:
    make_volume_type(world, VOLUME_TYPE_NAME, id_=VOLUME_TYPE_ID)
    volumes = list(world.volumes)
    for volume in [each for each in volumes if not each.bootable][::_EVERY_SNAPSHOT]:
        request = world.request(world.actor(volume.user_id))
        finish_snapshot(world, make_snapshot(world, request, volume, f"{volume.name}-snap"))
    for volume in volumes[::_EVERY_BACKUP]:
        request = world.request(world.actor(volume.user_id))
        finish_backup(world, make_backup(world, request, volume, f"{volume.name}-backup"))
