"""What operators do to the ports of bare metal nodes."""

from services.simulator.notification import Json, Notification, Operation, Pause, Request
from services.simulator.objects import Item
from services.simulator.operations.extras import BAREMETAL_PORT, IRONIC_TOPIC
from services.simulator.payloads.times import offset
from services.simulator.world import World


def make_baremetal_port(world: World, node: Item) -> Item:
    """Add a port to a node; says nothing."""
    id_, made = world.uuid(), offset(world.now)
    body: Json = {
        "uuid": id_,
        "node_uuid": node.id,
        "address": f"52:54:00:{id_[:2]}:{id_[2:4]}:{id_[4:6]}",
        "physical_network": "physnet1",
        "pxe_enabled": True,
        "local_link_connection": {},
        "extra": {},
        "created_at": made,
        "updated_at": made,
        "links": [],
    }
    return world.table(BAREMETAL_PORT).add(Item(id_, "", body))


def create_baremetal_port(world: World, request: Request, node: Item) -> Operation:
    """Add a port to a node."""
    port = make_baremetal_port(world, node)
    yield _say(world, request, port, "create.start")
    yield Pause(0.02)
    yield _say(world, request, port, "create.end")


def delete_baremetal_port(world: World, request: Request, port: Item) -> Operation:
    """Remove a port."""
    yield _say(world, request, port, "delete.start")
    yield Pause(0.02)
    world.table(BAREMETAL_PORT).remove(port.id)
    yield _say(world, request, port, "delete.end")


def _say(world: World, request: Request, port: Item, action: str) -> Notification:
    payload = {
        "ironic_object.name": "PortCRUDPayload",
        "ironic_object.namespace": "ironic",
        "ironic_object.version": "1.4",
        "ironic_object.data": {key: port.body[key] for key in port.body if key != "links"},
    }
    return world.notification(
        "ironic",
        "ironic-api.ctl1",
        f"baremetal.port.{action}",
        payload,
        request.context(world.now),
        topic=IRONIC_TOPIC,
    )
