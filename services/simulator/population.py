"""The cloud on the day the simulation begins: built at once, without notifications.

Everything is in proportion to the number of servers: a project for every fifty, each with its
network, router and security groups; unless told otherwise, one port for each, a volume for two in
five, and a floating IP for one in ten.
"""

from dataclasses import dataclass

from services.simulator.furniture import furnish
from services.simulator.notification import Actor
from services.simulator.objects import Flavor, Network, Port, Project, Server, User
from services.simulator.operations.floating_ips import make_floating_ip, point
from services.simulator.operations.images import fill, make_image
from services.simulator.operations.networks import make_network, make_router, make_subnet, plug
from services.simulator.operations.ports import make_port
from services.simulator.operations.security_groups import make_group
from services.simulator.operations.servers import new_server
from services.simulator.operations.volumes import connect, make_volume
from services.simulator.world import World

_SERVERS_PER_PROJECT = 50
_SERVERS_PER_HOST = 25
_MOST_PROJECTS = 400
_BOOTABLE_SHARE, _FLOATING_SHARE, _STOPPED_SHARE = 0.4, 0.1, 0.1
_FLAVORS = (
    ("m1.tiny", 1, 512, 1),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
    ("m1.xlarge", 8, 16384, 160),
)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What each server has, on average."""

    ports: int = 1
    volumes: float = 0.4


def populate(world: World, servers: int, each: Equipment | None = None) -> None:
    """Fill an empty world with `servers` servers and all that belongs to them."""
    each = each or Equipment()
    world.usual_servers = servers
    world.hosts.extend(f"compute-{n + 1}" for n in range(max(2, servers // _SERVERS_PER_HOST)))
    for number, (name, vcpus, ram, disk) in enumerate(_FLAVORS, start=1):
        world.flavors.add(Flavor(str(number), name, number, vcpus, ram, disk))
    _staff(world)
    admin = world.projects[world.services["admin"].project_id]
    external = make_network(world, admin.id, "public", external=True)
    make_subnet(world, external, "public-subnet")
    for name in ("cirros-0.6", "debian-12", "ubuntu-24.04", "rocky-9"):
        image = make_image(world, admin.id, name, public=True)
        fill(world, image)
        image.status = "active"
    tenants = [world.actor(user.id) for user in _tenants(world, servers, external)]
    for number in range(servers):
        _server(world, tenants[number % len(tenants)], f"vm-{number + 1}", external, each)
    furnish(world)


def _staff(world: World) -> None:
    """Add the administrator, and the service user that Nova is."""
    for project_name, user_name in (("admin", "admin"), ("service", "nova")):
        project = world.projects.add(Project(world.hex_id(), project_name))
        user = world.users.add(User(world.hex_id(), user_name, project.id, admin=True))
        world.services[user_name] = world.actor(user.id)


def _tenants(world: World, servers: int, external: Network) -> list[User]:
    """Add the projects that servers live in, each with one user; the first is `demo`."""
    count = min(_MOST_PROJECTS, max(2, servers // _SERVERS_PER_PROJECT))
    users = []
    for number in range(count):
        name = f"project-{number + 1}" if number else "demo"
        project = world.projects.add(Project(world.hex_id(), name))
        user = world.users.add(User(world.hex_id(), name, project.id))
        users.append(user)
        world.owners[project.id] = world.actor(user.id)
        network = make_network(world, project.id, f"{name}-network")
        make_subnet(world, network, f"{name}-subnet")
        router = make_router(world, project.id, f"{name}-router", external)
        plug(world, router, network)
        make_group(world, project.id, "web")
        project.main_network_id, project.main_router_id = network.id, router.id
    return users


def _server(world: World, owner: Actor, name: str, external: Network, each: Equipment) -> None:
    random, request = world.random, world.request(owner)
    flavor, image = world.flavors.pick(random), world.images.pick(random)
    assert flavor is not None, "flavors come first"
    assert image is not None, "images come first"
    server = new_server(world, request, name=name, flavor=flavor, image=image)
    server.host, server.launched_at = random.choice(world.hosts), world.now
    stopped = random.random() < _STOPPED_SHARE
    server.vm_state, server.task_state = "stopped" if stopped else "active", None
    project = world.projects[owner.project_id]
    ports = [_port(world, project, server) for _ in range(each.ports)]
    _volumes(world, server, each.volumes)
    if ports and random.random() < _FLOATING_SHARE:
        floating = make_floating_ip(world, project.id, external)
        point(world, floating, ports[0], project.main_router_id)
        world.tell_nova(ports[0].id)
        floating.status = "ACTIVE"


def _port(world: World, project: Project, server: Server) -> Port:
    port = make_port(
        world,
        world.networks[project.main_network_id or ""],
        project_id=project.id,
        device_id=server.id,
        device_owner="compute:nova",
        group_ids=list(server.security_group_ids),
    )
    port.host = server.host or ""
    port.status = "DOWN" if server.vm_state == "stopped" else "ACTIVE"
    return port


def _volumes(world: World, server: Server, share: float) -> None:
    random = world.random
    for _ in range(int(share) + (random.random() < share % 1)):
        request = world.request(world.actor(server.user_id))
        size_gib = random.choice((10, 20, 50, 100))
        volume = make_volume(world, request, name=f"{server.name}-data", size_gib=size_gib)
        volume.launched_at = world.now
        volume.bootable = random.random() < _BOOTABLE_SHARE
        connect(world, volume, server)
