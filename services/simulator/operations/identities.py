"""What administrators do to users, groups and roles; everything Keystone says is CADF."""

from services.simulator.notification import Deed, Json, Notification, Operation, Request
from services.simulator.objects import Item, User
from services.simulator.operations.projects import EXCHANGE
from services.simulator.payloads.keystone import PUBLISHER, cadf_payload
from services.simulator.world import World

GROUP, ROLE, DOMAIN = "group", "role", "domain"


def make_named(world: World, kind: str, name: str, *, id_: str | None = None) -> Item:
    """Add a group, role or domain; says nothing."""
    bodies: dict[str, Json] = {
        GROUP: {"domain_id": "default", "description": ""},
        ROLE: {"domain_id": None, "description": None, "options": {}},
        DOMAIN: {"enabled": True, "description": "", "tags": [], "options": {}},
    }
    id_ = id_ or world.hex_id()
    return world.table(kind).add(Item(id_, "", {"id": id_, "name": name, **bodies[kind]}))


def create_user(world: World, request: Request, name: str, project_id: str) -> Operation:
    """Create a user with a default project."""
    user = world.users.add(User(world.hex_id(), name, project_id))
    yield _say(world, request, "user", "created", user.id)


def rename_user(world: World, request: Request, user: User, name: str) -> Operation:
    """Give a user another name."""
    user.name = name
    yield _say(world, request, "user", "updated", user.id)


def delete_user(world: World, request: Request, user: User) -> Operation:
    """Delete a user; Nova keeps the key pairs of people who are gone."""
    world.users.remove(user.id)
    yield _say(world, request, "user", "deleted", user.id)


def create_named(world: World, request: Request, kind: str, name: str) -> Deed[Item]:
    """Create a group or role."""
    item = make_named(world, kind, name)
    yield _say(world, request, kind, "created", item.id)
    return item


def rename_named(world: World, request: Request, kind: str, item: Item, name: str) -> Operation:
    """Give a group or role another name."""
    item.body["name"] = name
    yield _say(world, request, kind, "updated", item.id)


def delete_named(world: World, request: Request, kind: str, item: Item) -> Operation:
    """Delete a group or role."""
    world.table(kind).remove(item.id)
    yield _say(world, request, kind, "deleted", item.id)


def _say(world: World, request: Request, kind: str, action: str, id_: str) -> Notification:
    payload = cadf_payload(world, request, kind=kind, action=action, id_=id_)
    return world.notification(EXCHANGE, PUBLISHER, f"identity.{kind}.{action}", payload, {})
