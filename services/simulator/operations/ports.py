"""What users, and Nova for them, do to ports; and the ports that come and go silently."""

from services.simulator.notification import Deed, Operation, Request
from services.simulator.objects import Network, Port
from services.simulator.operations.neutron import Neutron
from services.simulator.world import World


def make_port(
    world: World,
    network: Network,
    *,
    project_id: str,
    device_id: str = "",
    device_owner: str = "",
    group_ids: list[str] | None = None,
) -> Port:
    """Add a port with one address; says nothing."""
    subnet = world.subnets[network.subnet_ids[0]]
    mac = world.random.getrandbits(24)
    return world.new_port(
        Port(
            world.uuid(),
            "",
            project_id,
            world.now,
            world.now,
            revision=1,
            network_id=network.id,
            mac=f"fa:16:3e:{mac >> 16:02x}:{mac >> 8 & 255:02x}:{mac & 255:02x}",
            device_id=device_id,
            device_owner=device_owner,
            fixed_ips=[(subnet.id, world.allocate(subnet))],
            security_group_ids=group_ids or [],
        )
    )


def create_port(
    world: World, request: Request, network: Network, *, device_id: str = ""
) -> Deed[Port]:
    """Create a port; with `device_id` as Nova does it for a server, with the user's token."""
    project_id = request.actor.project_id
    owner = "compute:nova" if device_id else ""

    def make() -> Port:
        groups = [world.default_group(project_id).id]
        return make_port(
            world,
            network,
            project_id=project_id,
            device_id=device_id,
            device_owner=owner,
            group_ids=groups,
        )

    asked = {"network_id": network.id, "tenant_id": project_id, "admin_state_up": True}
    if device_id:
        asked["device_id"] = device_id
    return (yield from Neutron(world, request).create("port", asked, make))


def bind_port(world: World, port: Port, host: str) -> Operation:
    """Bind a server's port to a host, as Nova does with its own admin token."""
    request = world.request(world.services["nova"])

    def change() -> None:
        port.host = host
        port.device_owner = "compute:nova"

    asked = {
        "device_id": port.device_id,
        "device_owner": "compute:nova",
        "binding:host_id": host,
        "binding:profile": {},
    }
    yield from Neutron(world, request).update("port", port, asked, change)


def rename_port(world: World, request: Request, port: Port, name: str) -> Operation:
    """Give a port another name."""

    def change() -> None:
        port.name = name

    yield from Neutron(world, request).update("port", port, {"name": name}, change)


def delete_port(world: World, request: Request, port: Port) -> Operation:
    """Delete a port."""
    yield from Neutron(world, request).delete("port", port, lambda: world.drop_port(port))


def set_port_status(world: World, port_id: str, status: str) -> None:
    """Let the agent report a port up or down: no notification, but a new revision."""
    port = world.ports.get(port_id)
    if port is not None and port.status != status:
        port.status = status
        world.touch(port)
