"""What happens to stacks, load balancers, bare metal and shares, where a cloud has them."""

from services.simulator.life.choice import Choice, admin, by_owner, find, name, on, somebody
from services.simulator.notification import Operation
from services.simulator.objects import Item
from services.simulator.operations import extras, stacks
from services.simulator.world import World


def _create_stack(world: World) -> Operation | None:
    if "orchestration" not in world.offered:
        return None
    return stacks.create_stack(world, admin(world), name(world, "stack"))


def _own_stack(world: World) -> Item | None:
    return find(
        world,
        world.table(stacks.STACK),
        lambda each: (
            each.body["stack_name"].startswith("stack-")
            and each.body["stack_status"].endswith("_COMPLETE")
        ),
    )


def _update_stack(world: World) -> Operation | None:
    stack = _own_stack(world)
    if stack is None:
        return None
    return on(world, (stack,), stacks.update_stack(world, admin(world), stack))


def _delete_stack(world: World) -> Operation | None:
    stack = _own_stack(world)
    if stack is None:
        return None
    return on(world, (stack,), stacks.delete_stack(world, admin(world), stack))


def _create_balancer(world: World) -> Operation | None:
    request = somebody(world)
    if request is None or "load-balancer" not in world.offered:
        return None
    network = world.networks[world.projects[request.actor.project_id].main_network_id or ""]
    deed = extras.create_balancer(world, request, network, name(world, "lb"))
    return on(world, (network,), deed)


def _delete_balancer(world: World) -> Operation | None:
    balancer = find(
        world,
        world.table(extras.BALANCER),
        lambda each: (
            each.body["name"].startswith("lb-") and each.body["provisioning_status"] == "ACTIVE"
        ),
    )
    if balancer is None:
        return None
    deed = extras.delete_balancer(world, by_owner(world, balancer), balancer)
    return on(world, (balancer,), deed)


def _switch_power(world: World) -> Operation | None:
    node = find(world, world.table(extras.NODE))
    if node is None:
        return None
    return on(world, (node,), extras.switch_power(world, admin(world), node))


def _create_share(world: World) -> Operation | None:
    request = somebody(world)
    if request is None or "share" not in world.offered:
        return None
    return extras.create_share(world, request, name(world, "share"))


def _delete_share(world: World) -> Operation | None:
    share = find(
        world,
        world.table(extras.SHARE),
        lambda each: each.body["name"].startswith("share-") and each.body["status"] == "available",
    )
    if share is None:
        return None
    return on(world, (share,), extras.delete_share(world, by_owner(world, share), share))


SERVICES = (
    Choice("create stack", 0.4, _create_stack),
    Choice("update stack", 0.3, _update_stack),
    Choice("delete stack", 0.5, _delete_stack),
    Choice("create load balancer", 0.3, _create_balancer),
    Choice("delete load balancer", 0.4, _delete_balancer),
    Choice("switch power", 0.3, _switch_power),
    Choice("create share", 0.3, _create_share),
    Choice("delete share", 0.4, _delete_share),
)
