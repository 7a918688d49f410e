"""What users and operators do to subnet pools, trunks and QoS policies."""

from services.simulator.notification import Deed, Operation, Request
from services.simulator.objects import NetworkAgent, Port, QoSPolicy, SubnetPool, Trunk
from services.simulator.operations.neutron import Neutron
from services.simulator.world import World


def make_subnet_pool(world: World, project_id: str, name: str) -> SubnetPool:
    """Add a subnet pool; says nothing."""
    prefix = f"10.{len(world.subnet_pools) % 250}.0.0/16"
    return world.subnet_pools.add(
        SubnetPool(world.uuid(), name, project_id, world.now, world.now, prefix=prefix)
    )


def create_subnet_pool(world: World, request: Request, name: str) -> Deed[SubnetPool]:
    """Create a subnet pool."""
    project_id = request.actor.project_id
    return (
        yield from Neutron(world, request).create(
            "subnetpool", {"name": name}, lambda: make_subnet_pool(world, project_id, name)
        )
    )


def delete_subnet_pool(world: World, request: Request, pool: SubnetPool) -> Operation:
    """Delete a subnet pool that no subnet was taken from."""
    yield from Neutron(world, request).delete(
        "subnetpool", pool, lambda: _dropped(world.subnet_pools.remove(pool.id))
    )


def make_trunk(world: World, port: Port, name: str) -> Trunk:
    """Make a port the parent of a trunk; says nothing."""
    return world.trunks.add(
        Trunk(world.uuid(), name, port.project_id, world.now, world.now, port_id=port.id)
    )


def carries_trunk(world: World, port: Port) -> bool:
    """Tell whether a port is the parent of a trunk, so that it cannot be deleted."""
    return any(trunk.port_id == port.id for trunk in world.trunks)


def create_trunk(world: World, request: Request, port: Port, name: str) -> Deed[Trunk]:
    """Create a trunk on a port."""
    asked = {"port_id": port.id, "name": name}
    return (
        yield from Neutron(world, request).create(
            "trunk", asked, lambda: make_trunk(world, port, name)
        )
    )


def delete_trunk(world: World, request: Request, trunk: Trunk) -> Operation:
    """Delete a trunk; its ports stay."""
    yield from Neutron(world, request).delete(
        "trunk", trunk, lambda: _dropped(world.trunks.remove(trunk.id))
    )


def make_qos_policy(world: World, project_id: str, name: str, kbps: int) -> QoSPolicy:
    """Add a policy that limits the bandwidth; says nothing."""
    rules = [(world.uuid(), kbps)]
    return world.qos_policies.add(
        QoSPolicy(world.uuid(), name, project_id, world.now, world.now, rules=rules)
    )


def create_qos_policy(world: World, request: Request, name: str) -> Deed[QoSPolicy]:
    """Create a policy; the notifications call it just `policy`."""
    project_id = request.actor.project_id
    return (
        yield from Neutron(world, request).create(
            "policy", {"name": name}, lambda: make_qos_policy(world, project_id, name, 1000)
        )
    )


def rename_qos_policy(world: World, request: Request, policy: QoSPolicy, name: str) -> Operation:
    """Give a policy another name."""

    def change() -> None:
        policy.name = name

    yield from Neutron(world, request).update("policy", policy, {"name": name}, change)


def delete_qos_policy(world: World, request: Request, policy: QoSPolicy) -> Operation:
    """Delete a policy that nothing uses."""
    yield from Neutron(world, request).delete(
        "policy", policy, lambda: _dropped(world.qos_policies.remove(policy.id))
    )


def make_agent(world: World, host: str) -> NetworkAgent:
    """Add the agent of a host; agents come and go without a word."""
    binary = "neutron-openvswitch-agent"
    return world.agents.add(NetworkAgent(world.uuid(), binary, "", world.now, world.now, host=host))


def _dropped(_: object) -> None:
    """Take a result that nobody needs."""
