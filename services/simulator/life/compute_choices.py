"""What happens to servers in the standard life."""

from services.simulator.life.choice import Choice, by_owner, find, name, on
from services.simulator.notification import Operation
from services.simulator.objects import Image, Network, Server
from services.simulator.operations import server_actions
from services.simulator.operations.servers import (
    boot,
    boot_and_delete_while_scheduling,
    boot_without_host,
    delete_server,
    new_server,
)
from services.simulator.table import Identified
from services.simulator.world import World

_HIGH, _LOW = 1.05, 0.95


def _site(world: World) -> tuple[Network, Image] | None:
    """Find where a server can be booted, and from what."""
    project = world.projects.pick(world.random)
    image = find(world, world.images, lambda each: each.status == "active")
    if project is None or project.main_network_id is None or image is None:
        return None
    return world.networks[project.main_network_id], image


def _new(world: World, network: Network, image: Image) -> Server:
    flavor = world.flavors.pick(world.random)
    assert flavor is not None, "flavors are never deleted"
    request = by_owner(world, network)
    return new_server(world, request, name=name(world, "vm"), flavor=flavor, image=image)


def _boot(world: World) -> Operation | None:
    site = _site(world)
    if site is None or len(world.servers) > world.usual_servers * _HIGH + 1:
        return None
    network, image = site
    server = _new(world, network, image)
    request = by_owner(world, server)
    return on(world, (server, network), boot(world, request, server, network))


def new_server_somewhere(world: World) -> Server | None:
    """Add a server to a project that can have one; None where there is no such project."""
    site = _site(world)
    return None if site is None else _new(world, *site)


def _boot_in_vain(world: World) -> Operation | None:
    server = new_server_somewhere(world)
    if server is None:
        return None
    return on(world, (server,), boot_without_host(world, by_owner(world, server), server))


def _boot_and_regret(world: World) -> Operation | None:
    server = new_server_somewhere(world)
    if server is None:
        return None
    request = by_owner(world, server)
    return on(world, (server,), boot_and_delete_while_scheduling(world, request, server))


def _in_state(world: World, vm_state: str) -> Server | None:
    return find(world, world.servers, lambda each: each.vm_state == vm_state)


def _attachments_idle(world: World, server: Server) -> bool:
    ports = (port.id for port in world.ports_of(server.id))
    return not any(id_ in world.held for id_ in (*server.volume_ids, *ports))


def _delete(world: World) -> Operation | None:
    if len(world.servers) < world.usual_servers * _LOW:
        return None
    server = find(world, world.servers, lambda each: _attachments_idle(world, each))
    if server is None:
        return None
    volumes = [world.volumes[id_] for id_ in server.volume_ids]
    touched: list[Identified] = [server, *volumes, *world.ports_of(server.id)]
    return on(world, touched, delete_server(world, by_owner(world, server), server))


def _stop(world: World) -> Operation | None:
    server = _in_state(world, "active")
    if server is None:
        return None
    return on(world, (server,), server_actions.stop(world, by_owner(world, server), server))


def _start(world: World) -> Operation | None:
    server = _in_state(world, "stopped")
    if server is None:
        return None
    return on(world, (server,), server_actions.start(world, by_owner(world, server), server))


def _reboot(world: World) -> Operation | None:
    server = _in_state(world, "active")
    if server is None:
        return None
    return on(world, (server,), server_actions.reboot(world, by_owner(world, server), server))


def _resize(world: World) -> Operation | None:
    server, flavor = _in_state(world, "active"), world.flavors.pick(world.random)
    if server is None or flavor is None or flavor.id == server.flavor_id:
        return None
    request, ports = by_owner(world, server), world.ports_of(server.id)
    if any(port.id in world.held for port in ports):
        return None
    operation = server_actions.resize(world, request, server, flavor)
    # Neither flavor may be deleted under way.
    flavors = (world.flavors[server.flavor_id], flavor)
    return on(world, (server, *flavors, *ports), operation)


def _confirm(world: World) -> Operation | None:
    server = _in_state(world, "resized")
    if server is None:
        return None
    request = by_owner(world, server)
    return on(world, (server,), server_actions.confirm_resize(world, request, server))


def _rename(world: World) -> Operation | None:
    server = find(world, world.servers)
    if server is None:
        return None
    request = by_owner(world, server)
    operation = server_actions.rename(world, request, server, name(world, "renamed"))
    return on(world, (server,), operation)


def _set_metadata(world: World) -> Operation | None:
    server = find(world, world.servers)
    if server is None:
        return None
    key, value = world.random.choice(("tier", "owner", "backup")), name(world, "value")
    request = by_owner(world, server)
    return on(world, (server,), server_actions.set_metadata(world, request, server, key, value))


COMPUTE = (
    Choice("boot server", 12, _boot),
    Choice("delete server", 12.6, _delete),
    Choice("stop server", 8, _stop),
    Choice("start server", 8, _start),
    Choice("reboot server", 6, _reboot),
    Choice("resize server", 3, _resize),
    Choice("confirm resize", 6, _confirm),
    Choice("rename server", 4, _rename),
    Choice("set server metadata", 3, _set_metadata),
    Choice("boot server without host", 0.6, _boot_in_vain),
    Choice("delete server while scheduling", 0.6, _boot_and_regret),
)
