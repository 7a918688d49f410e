"""What goes wrong, for scenarios: the standard life is spared of it."""

from services.simulator.life.choice import Choice, by_owner, find, on
from services.simulator.life.compute_choices import new_server_somewhere
from services.simulator.notification import Operation
from services.simulator.operations.incidents import evacuate, fail_resize, hang_in_build
from services.simulator.world import World


def _hang(world: World) -> Operation | None:
    server = new_server_somewhere(world)
    if server is None:
        return None
    return on(world, (server,), hang_in_build(world, by_owner(world, server), server))


def _fail_resize(world: World) -> Operation | None:
    server = find(world, world.servers, lambda each: each.vm_state == "active")
    if server is None:
        return None
    flavor = next(each for each in world.flavors if each.id != server.flavor_id)
    request = by_owner(world, server)
    flavors = (world.flavors[server.flavor_id], flavor)
    return on(world, (server, *flavors), fail_resize(world, request, server, flavor))


def _fail_host(world: World) -> Operation | None:
    """Let the first host that has servers fail; the administrator evacuates each of them."""
    taken = {server.host for server in world.servers if server.id not in world.held}
    failed = next((host for host in world.hosts if host in taken), None)
    others = [host for host in world.hosts if host != failed]
    if failed is None or not others:
        return None
    servers = [each for each in world.servers if each.host == failed and each.id not in world.held]
    request = world.request(world.services["admin"])

    def one_after_another() -> Operation:
        for server in servers:
            yield from evacuate(world, request, server, world.random.choice(others))

    return on(world, servers, one_after_another())


INCIDENTS = (
    Choice("build hangs", 0, _hang),
    Choice("resize fails", 0, _fail_resize),
    Choice("host fails", 0, _fail_host),
)
