"""What users do to networks, subnets and routers; routers' ports come and go silently."""

from services.simulator.notification import Deed, Notification, Operation, Request
from services.simulator.objects import Network, Port, Router, Subnet
from services.simulator.operations.neutron import Neutron
from services.simulator.operations.ports import make_port
from services.simulator.world import World


def make_network(world: World, project_id: str, name: str, *, external: bool = False) -> Network:
    """Add a network without subnets; says nothing."""
    return world.networks.add(
        Network(
            world.uuid(),
            name,
            project_id,
            world.now,
            world.now,
            revision=1,
            external=external,
            segment=world.number("segments") % 16_000_000,
        )
    )


def make_subnet(world: World, network: Network, name: str) -> Subnet:
    """Add a subnet to a network, whose revision rises; says nothing."""
    prefix = "172.24" if network.external else f"10.{len(world.subnets) % 250}"
    subnet = world.subnets.add(
        Subnet(
            world.uuid(),
            name,
            network.project_id,
            world.now,
            world.now,
            network_id=network.id,
            prefix=prefix,
        )
    )
    network.subnet_ids.append(subnet.id)
    world.touch(network)
    return subnet


def create_network(world: World, request: Request, name: str) -> Deed[Network]:
    """Create a network and its subnet: two requests, four notifications."""
    neutron = Neutron(world, request)
    project_id = request.actor.project_id

    def network_made() -> Network:
        world.default_group(project_id)
        return make_network(world, project_id, name)

    asked = {"name": name, "admin_state_up": True}
    network = yield from neutron.create("network", asked, network_made)
    asked = {"network_id": network.id, "ip_version": 4, "name": f"{name}-subnet"}
    yield from neutron.create(
        "subnet", asked, lambda: make_subnet(world, network, f"{name}-subnet")
    )
    return network


def delete_network(world: World, request: Request, network: Network) -> Operation:
    """Delete a network that has no ports; its subnets go along silently."""

    def drop() -> None:
        for subnet_id in network.subnet_ids:
            world.subnets.remove(subnet_id)
        world.networks.remove(network.id)

    yield from Neutron(world, request).delete("network", network, drop)


def rename_network(world: World, request: Request, network: Network, name: str) -> Operation:
    """Give a network another name."""

    def change() -> None:
        network.name = name

    yield from Neutron(world, request).update("network", network, {"name": name}, change)


def make_router(world: World, project_id: str, name: str, external: Network) -> Router:
    """Add a router with a gateway port; says nothing."""
    router = world.routers.add(
        Router(world.uuid(), name, project_id, world.now, world.now, revision=1)
    )
    # The gateway port belongs to nobody: its project is the empty string.
    gateway = make_port(
        world, external, project_id="", device_id=router.id, device_owner="network:router_gateway"
    )
    router.gateway_port_id = gateway.id
    return router


def create_router(world: World, request: Request, name: str, external: Network) -> Deed[Router]:
    """Create a router with a gateway; the gateway's port is announced by nobody."""
    asked = {"name": name, "external_gateway_info": {"network_id": external.id}}
    return (
        yield from Neutron(world, request).create(
            "router",
            asked,
            lambda: make_router(world, request.actor.project_id, name, external),
        )
    )


def rename_router(world: World, request: Request, router: Router, name: str) -> Operation:
    """Give a router another name."""

    def change() -> None:
        router.name = name

    yield from Neutron(world, request).update("router", router, {"name": name}, change)


def delete_router(world: World, request: Request, router: Router) -> Operation:
    """Delete a router that has no interfaces; its gateway port goes along silently."""

    def drop() -> None:
        for port in world.ports_of(router.id):
            world.drop_port(port)
        world.routers.remove(router.id)

    yield from Neutron(world, request).delete("router", router, drop)


def plug(world: World, router: Router, network: Network) -> Port:
    """Add a router's interface on a network; says nothing."""
    port = make_port(
        world,
        network,
        project_id=router.project_id,
        device_id=router.id,
        device_owner="network:router_interface",
    )
    port.status = "ACTIVE"
    world.touch(router)
    return port


def add_interface(world: World, request: Request, router: Router, network: Network) -> Operation:
    """Add a router interface: one notification without `.start` or `.end`."""
    port = plug(world, router, network)
    yield _interface(world, request, "create", router, port)


def remove_interface(world: World, request: Request, router: Router, network: Network) -> Operation:
    """Remove the interfaces of a router on a network."""
    for port in world.ports_of(router.id):
        if port.network_id == network.id and port.id != router.gateway_port_id:
            world.drop_port(port)
            world.touch(router)
            yield _interface(world, request, "delete", router, port)


def _interface(
    world: World, request: Request, verb: str, router: Router, port: Port
) -> Notification:
    subnet_ids = [subnet_id for subnet_id, _ in port.fixed_ips]
    payload = {
        "id": router.id,
        "project_id": router.project_id,
        "tenant_id": router.project_id,
        "port_id": port.id,
        "network_id": port.network_id,
        "subnet_id": subnet_ids[0],
        "subnet_ids": subnet_ids,
    }
    neutron = Neutron(world, request)
    return neutron.say(f"router.interface.{verb}", {"router_interface": payload})
