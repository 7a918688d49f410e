"""What people do in Nova beside servers: key pairs, server groups, aggregates, flavors.

Flavors and compute services are silent in the unversioned format.
"""

from collections.abc import Iterator

from services.simulator.notification import (
    VERSIONED,
    Json,
    Notification,
    Operation,
    Pause,
    Request,
)
from services.simulator.objects import Flavor, Item
from services.simulator.operations.nova import CONTROLLER, EXCHANGE
from services.simulator.payloads.nova_legacy import ZONE
from services.simulator.payloads.nova_versioned import flavor_object, versioned
from services.simulator.payloads.times import micro
from services.simulator.world import World

KEYPAIR, AGGREGATE, SERVER_GROUP = "keypair", "aggregate", "server_group"
_WORKING_SECONDS = 0.02


def make_keypair(world: World, user_id: str, name: str) -> Item:
    """Add a key pair of a user; says nothing."""
    bits = f"{world.random.getrandbits(128):032x}"
    body = {
        "name": name,
        "user_id": user_id,
        "public_key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{bits} {name}",
        "fingerprint": ":".join(bits[n : n + 2] for n in range(0, 32, 2)),
    }
    return world.table(KEYPAIR).add(Item(f"{user_id}/{name}", "", body))


def create_keypair(world: World, request: Request, name: str) -> Operation:
    """Create a key pair for the caller."""
    user_id = request.actor.user_id
    data: Json = {"user_id": user_id, "name": name, "fingerprint": None, "public_key": None}
    yield from _say_keypair(world, request, "create.start", data)
    yield Pause(_WORKING_SECONDS)
    item = make_keypair(world, user_id, name)
    yield from _say_keypair(world, request, "create.end", item.body)


def delete_keypair(world: World, request: Request, item: Item) -> Operation:
    """Delete a key pair; servers that were booted with it keep its name."""
    yield from _say_keypair(world, request, "delete.start", item.body)
    yield Pause(_WORKING_SECONDS)
    world.table(KEYPAIR).remove(item.id)
    yield from _say_keypair(world, request, "delete.end", item.body)


def make_server_group(world: World, project_id: str, user_id: str, name: str) -> Item:
    """Add a server group without members; says nothing."""
    id_ = world.uuid()
    body = {
        "id": id_,
        "name": name,
        "policy": "anti-affinity",
        "members": [],
        "project_id": project_id,
        "user_id": user_id,
    }
    return world.table(SERVER_GROUP).add(Item(id_, project_id, body))


def create_server_group(world: World, request: Request, name: str) -> Operation:
    """Create a server group: one notification, no phases."""
    actor = request.actor
    item = make_server_group(world, actor.project_id, actor.user_id, name)
    legacy = {"server_group_id": item.id, "name": name, "policies": [item.body["policy"]]}
    yield from _say_server_group(world, request, "create", item, legacy)


def delete_server_group(world: World, request: Request, item: Item) -> Operation:
    """Delete a server group; its members go on without it."""
    world.table(SERVER_GROUP).remove(item.id)
    yield from _say_server_group(world, request, "delete", item, {"server_group_id": item.id})


def make_aggregate(world: World, name: str) -> Item:
    """Add an aggregate without hosts; says nothing."""
    number = world.number("aggregates")
    body = {
        "id": number,
        "uuid": world.uuid(),
        "name": name,
        "availability_zone": None,
        "hosts": [],
        "metadata": {},
        "created_at": micro(world.second()),
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }
    return world.table(AGGREGATE).add(Item(str(number), "", body))


def create_aggregate(world: World, request: Request, name: str) -> Operation:
    """Create an aggregate; `.start` of the legacy format has no id."""
    if world.dialect.legacy:
        yield _legacy(world, request, "aggregate.create.start", {"name": name})
    yield Pause(_WORKING_SECONDS)
    item = make_aggregate(world, name)
    yield from _say_aggregate(world, request, ("create", "create"), item, {"name": name})


def move_host(world: World, request: Request, item: Item, host: str) -> Operation:
    """Put a host into an aggregate, or take it out when it is in there."""
    hosts: list[str] = item.body["hosts"]
    names = ("removehost", "remove_host") if host in hosts else ("addhost", "add_host")
    if host in hosts:
        hosts.remove(host)
    else:
        hosts.append(host)
    item.body["updated_at"] = micro(world.second())
    yield from _say_aggregate(world, request, names, item, {"host_name": host})


def delete_aggregate(world: World, request: Request, item: Item) -> Operation:
    """Delete an aggregate that has no hosts."""
    world.table(AGGREGATE).remove(item.id)
    yield from _say_aggregate(world, request, ("delete", "delete"), item, {})


def create_flavor(world: World, request: Request, name: str, *, public: bool) -> Operation:
    """Create a flavor."""
    flavor = world.flavors.add(
        Flavor(world.uuid(), name, world.number("flavors") + 100, 2, 1024, 10, public=public)
    )
    yield from _say_flavor(world, request, "create", flavor)


def delete_flavor(world: World, request: Request, flavor: Flavor) -> Operation:
    """Delete a flavor; servers that have it keep its values."""
    world.flavors.remove(flavor.id)
    yield from _say_flavor(world, request, "delete", flavor)


def switch_host(world: World, request: Request, host: str) -> Operation:
    """Disable the compute service of a host, or enable it again."""
    disabled = host not in world.disabled_hosts
    if disabled:
        world.disabled_hosts.add(host)
    else:
        world.disabled_hosts.remove(host)
    if world.dialect.versioned:
        data: Json = {
            "host": host,
            "disabled": disabled,
            "binary": "nova-compute",
            "topic": "compute",
            "disabled_reason": "maintenance" if disabled else None,
            "forced_down": False,
            "version": 66,
            "availability_zone": ZONE,
            "uuid": world.host_uuid("nova-compute", host),
            "last_seen_up": None,
            "report_count": 1,
        }
        payload = versioned("ServiceStatusPayload", "1.1", data)
        yield _versioned(world, request, f"nova-compute:{host}", "service.update", payload)


def _say_keypair(world: World, request: Request, action: str, body: Json) -> Iterator[Notification]:
    if world.dialect.legacy:
        payload = {
            "tenant_id": request.actor.project_id,
            "user_id": body["user_id"],
            "key_name": body["name"],
        }
        yield _legacy(world, request, f"keypair.{action}", payload, sender="api")
    if world.dialect.versioned:
        payload = versioned("KeypairPayload", "1.0", {**body, "type": "ssh"})
        yield _from_api(world, request, f"keypair.{action}", payload)


def _say_server_group(
    world: World, request: Request, action: str, item: Item, legacy: Json
) -> Iterator[Notification]:
    if world.dialect.legacy:
        yield _legacy(world, request, f"servergroup.{action}", legacy, sender="servergroup")
    if world.dialect.versioned:
        body = item.body
        data: Json = {
            **{key: body[key] for key in ("name", "project_id", "user_id", "policy", "members")},
            "uuid": item.id,
            "policies": [body["policy"]],
            "rules": {},
            "hosts": None,
        }
        payload = versioned("ServerGroupPayload", "1.1", data)
        yield _from_api(world, request, f"server_group.{action}", payload)


def _say_aggregate(
    world: World, request: Request, names: tuple[str, str], item: Item, more: Json
) -> Iterator[Notification]:
    body = item.body
    if world.dialect.legacy:
        payload = {"aggregate_id": body["id"], **more}
        yield _legacy(world, request, f"aggregate.{names[0]}.end", payload, sender="aggregate")
    if world.dialect.versioned:
        data = {key: body[key] for key in ("id", "uuid", "name", "hosts", "metadata")}
        payload = versioned("AggregatePayload", "1.1", {**data, "hosts": list(data["hosts"])})
        yield _from_api(world, request, f"aggregate.{names[1]}.end", payload)


def _say_flavor(
    world: World, request: Request, action: str, flavor: Flavor
) -> Iterator[Notification]:
    if world.dialect.versioned:
        yield _from_api(world, request, f"flavor.{action}", flavor_object(flavor))


def _legacy(
    world: World, request: Request, event_type: str, payload: Json, *, sender: str = "aggregate"
) -> Notification:
    publisher = f"{sender}.{payload.get('aggregate_id', CONTROLLER)}"
    context = request.context(world.now)
    return world.notification(EXCHANGE, publisher, event_type, payload, context)


def _from_api(world: World, request: Request, event_type: str, payload: Json) -> Notification:
    return _versioned(world, request, f"nova-api:{CONTROLLER}", event_type, payload)


def _versioned(
    world: World, request: Request, publisher: str, event_type: str, payload: Json
) -> Notification:
    context = request.context(world.now)
    return world.notification(EXCHANGE, publisher, event_type, payload, context, topic=VERSIONED)
