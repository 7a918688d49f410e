"""What administrators do to volume types: one notification each, without phases."""

from services.simulator.notification import Json, Notification, Operation, Request
from services.simulator.objects import Item
from services.simulator.operations.nova import CONTROLLER
from services.simulator.world import World

VOLUME_TYPE = "volume_type"


def make_volume_type(world: World, name: str, *, id_: str | None = None) -> Item:
    """Add a volume type; says nothing."""
    id_ = id_ or world.uuid()
    body: Json = {
        "id": id_,
        "name": name,
        "description": None,
        "is_public": True,
        "os-volume-type-access:is_public": True,
        "qos_specs_id": None,
        "extra_specs": {"volume_backend_name": "ceph"},
    }
    return world.table(VOLUME_TYPE).add(Item(id_, "", body))


def create_volume_type(world: World, request: Request, name: str) -> Operation:
    """Create a volume type."""
    yield _say(world, request, make_volume_type(world, name), "create")


def rename_volume_type(world: World, request: Request, item: Item, name: str) -> Operation:
    """Give a volume type another name."""
    item.body["name"] = name
    yield _say(world, request, item, "update")


def delete_volume_type(world: World, request: Request, item: Item) -> Operation:
    """Delete a volume type that no volume has."""
    world.table(VOLUME_TYPE).remove(item.id)
    yield _say(world, request, item, "delete")


def _say(world: World, request: Request, item: Item, action: str) -> Notification:
    shown = ("id", "name", "description", "is_public", "extra_specs")
    payload: Json = {"volume_types": {key: item.body[key] for key in shown}}
    publisher = f"volumeType.{CONTROLLER}"
    context = request.context(world.now)
    exchange = world.dialect.cinder_exchange
    return world.notification(exchange, publisher, f"volume_type.{action}", payload, context)
