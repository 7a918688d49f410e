"""What users do to floating IPs. Each has a port of its own that nobody announces.

Nova, which shows them with the addresses of servers, learns of each change later: Neutron tells it
in batches (`send_events_interval`, 2 s), and then it asks Neutron.
"""

from services.simulator.notification import Aside, Deed, Operation, Pause, Request
from services.simulator.objects import FloatingIP, Network, Port
from services.simulator.operations.neutron import Neutron
from services.simulator.operations.ports import make_port
from services.simulator.world import World

_UNTIL_NOVA_KNOWS = Pause(1.5)


def make_floating_ip(world: World, project_id: str, external: Network) -> FloatingIP:
    """Add a floating IP and its own port; says nothing."""
    id_ = world.uuid()
    own = make_port(
        world, external, project_id="", device_id=id_, device_owner="network:floatingip"
    )
    own.status = "N/A"
    return world.floating_ips.add(
        FloatingIP(
            id_,
            "",
            project_id,
            world.now,
            world.now,
            network_id=external.id,
            address=own.fixed_ips[0][1],
            own_port_id=own.id,
        )
    )


def create_floating_ip(world: World, request: Request, external: Network) -> Deed[FloatingIP]:
    """Create a floating IP that points nowhere."""
    return (
        yield from Neutron(world, request).create(
            "floatingip",
            {"floating_network_id": external.id},
            lambda: make_floating_ip(world, request.actor.project_id, external),
        )
    )


def point(world: World, floating: FloatingIP, port: Port, router_id: str | None) -> None:
    """Let a floating IP point at a port; says nothing."""
    floating.port_id, floating.fixed_ip = port.id, port.fixed_ips[0][1]
    floating.router_id = router_id
    world.floating_ip_of[port.id] = floating.id


def associate(world: World, request: Request, floating: FloatingIP, port: Port) -> Operation:
    """Point a floating IP at a port: the payload still says DOWN, ACTIVE follows silently."""
    router_id = world.projects[port.project_id].main_router_id
    yield from Neutron(world, request).update(
        "floatingip",
        floating,
        {"port_id": port.id},
        lambda: point(world, floating, port, router_id),
    )
    yield Aside(_tell_nova(world, port.id))
    yield Pause(0.2)
    if floating.port_id is not None:
        floating.status = "ACTIVE"
        world.touch(floating)


def disassociate(world: World, request: Request, floating: FloatingIP) -> Operation:
    """Let a floating IP point nowhere; DOWN follows silently."""
    port_id = floating.port_id
    yield from Neutron(world, request).update(
        "floatingip", floating, {"port_id": None}, lambda: _free(world, floating)
    )
    if port_id is not None:
        yield Aside(_tell_nova(world, port_id))
    yield Pause(0.2)
    floating.status = "DOWN"
    world.touch(floating)


def delete_floating_ip(world: World, request: Request, floating: FloatingIP) -> Operation:
    """Delete a floating IP; its own port goes along silently."""
    port_id = floating.port_id

    def drop() -> None:
        _free(world, floating)
        world.drop_port(world.ports[floating.own_port_id])
        world.floating_ips.remove(floating.id)

    yield from Neutron(world, request).delete("floatingip", floating, drop)
    if port_id is not None:
        yield Aside(_tell_nova(world, port_id))


def _tell_nova(world: World, port_id: str) -> Operation:
    yield _UNTIL_NOVA_KNOWS
    world.tell_nova(port_id)


def _free(world: World, floating: FloatingIP) -> None:
    if floating.port_id is not None:
        del world.floating_ip_of[floating.port_id]
    floating.port_id = floating.fixed_ip = floating.router_id = None
