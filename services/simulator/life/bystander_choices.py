"""What happens to what nobody looks at every day: volume types, metal ports, and in silence."""

from services.simulator.life.choice import Choice, admin, find, name, on
from services.simulator.notification import Operation
from services.simulator.objects import Item
from services.simulator.operations import baremetal_ports, extras, silent, volume_types
from services.simulator.world import World

_MOST = 40


def _create_type(world: World) -> Operation | None:
    if len(world.table(volume_types.VOLUME_TYPE)) > _MOST:
        return None
    request = admin(world)
    return volume_types.create_volume_type(world, request, name(world, "type"))


def _own_type(world: World) -> Item | None:
    table = world.table(volume_types.VOLUME_TYPE)
    return find(world, table, lambda each: each.body["name"].startswith("type-"))


def _rename_type(world: World) -> Operation | None:
    item = _own_type(world)
    if item is None:
        return None
    request = admin(world)
    deed = volume_types.rename_volume_type(world, request, item, name(world, "type"))
    return on(world, (item,), deed)


def _delete_type(world: World) -> Operation | None:
    item = _own_type(world)
    if item is None:
        return None
    request = admin(world)
    return on(world, (item,), volume_types.delete_volume_type(world, request, item))


def _create_metal_port(world: World) -> Operation | None:
    node = find(world, world.table(extras.NODE))
    if node is None or len(world.table(extras.BAREMETAL_PORT)) > _MOST:
        return None
    request = admin(world)
    return on(world, (node,), baremetal_ports.create_baremetal_port(world, request, node))


def _delete_metal_port(world: World) -> Operation | None:
    port = find(world, world.table(extras.BAREMETAL_PORT))
    if port is None:
        return None
    request = admin(world)
    return on(world, (port,), baremetal_ports.delete_baremetal_port(world, request, port))


def _fill_balancer(world: World) -> Operation | None:
    balancer = find(
        world,
        world.table(extras.BALANCER),
        lambda each: each.body["provisioning_status"] == "ACTIVE" and not each.body["listeners"],
    )
    if balancer is None:
        return None
    return on(world, (balancer,), silent.fill_balancer(world, balancer))


def _empty_balancer(world: World) -> Operation | None:
    balancer = find(world, world.table(extras.BALANCER), lambda each: bool(each.body["listeners"]))
    if balancer is None:
        return None
    return on(world, (balancer,), silent.empty_balancer(world, balancer))


def _fill_container(world: World) -> Operation | None:
    container = find(world, world.table(extras.CONTAINER))
    if container is None:
        return None
    return on(world, (container,), silent.fill_container(world, container))


def _switch_agent(world: World) -> Operation | None:
    agent = find(world, world.agents)
    if agent is None:
        return None
    return on(world, (agent,), silent.switch_agent(agent))


BYSTANDERS = (
    Choice("create volume type", 0.2, _create_type),
    Choice("rename volume type", 0.1, _rename_type),
    Choice("delete volume type", 0.2, _delete_type),
    Choice("create metal port", 0.2, _create_metal_port),
    Choice("delete metal port", 0.2, _delete_metal_port),
    # Only on demand, since nobody would learn of it.
    Choice("fill load balancer", 0, _fill_balancer),
    Choice("empty load balancer", 0, _empty_balancer),
    Choice("fill container", 0, _fill_container),
    Choice("switch agent", 0, _switch_agent),
)
