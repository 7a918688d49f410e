"""What really is: every living object of a kind, for tests to compare an inventory with."""

from collections.abc import Callable

from services.simulator.api import (
    compute_lists,
    identity_lists,
    orchestration,
    volume_lists,
)
from services.simulator.api.identity import project_body
from services.simulator.api.image import image_body
from services.simulator.api.microversions import COMPUTE, VOLUME
from services.simulator.api.network import COLLECTIONS
from services.simulator.api.server_body import server_body
from services.simulator.api.volume import volume_body
from services.simulator.notification import Json
from services.simulator.objects import Item
from services.simulator.world import World
from shared.resource import Kind

_NEUTRON_KINDS = {
    "floatingip": Kind.FLOATING_IP,
    "subnetpool": Kind.SUBNET_POOL,
    "policy": Kind.QOS_POLICY,
    "agent": Kind.NETWORK_AGENT,
}


def truth(world: World, kind: str) -> dict[str, Json]:
    """Return the living objects of a kind by id, as the newest API shows them to administrators.

    Links lack the scheme and host. Of containers these are the administrators' own, as Swift shows
    them no others. Raises KeyError for a kind that the simulator does not have.
    """
    if kind in _TRUTHS:
        return _TRUTHS[kind](world)
    for collection in COLLECTIONS:
        if kind == _NEUTRON_KINDS.get(collection.singular, collection.singular):
            table = collection.table(world)
            return {item.id: collection.shown(world, item, admin=True) for item in table}
    raise KeyError(kind)


def _servers(world: World) -> dict[str, Json]:
    return {
        server.id: server_body(world, server, minor=COMPUTE.highest, admin=True, origin="")
        for server in world.servers
    }


def _volumes(world: World) -> dict[str, Json]:
    return {
        volume.id: volume_body(volume, minor=VOLUME.highest, admin=True, origin="")
        for volume in world.volumes
    }


def _by_id(bodies: list[Json], key: str = "id") -> dict[str, Json]:
    return {str(body[key]): body for body in bodies}


def _items(
    kind: str, shown: Callable[[Item], Json] = lambda item: dict(item.body)
) -> Callable[[World], dict[str, Json]]:
    return lambda world: {item.id: shown(item) for item in world.table(kind)}


def _identity(kind: str) -> Callable[[World], dict[str, Json]]:
    return _items(kind, lambda item: identity_lists.identity_body(kind, item.body, ""))


_TRUTHS: dict[str, Callable[[World], dict[str, Json]]] = {
    Kind.SERVER: _servers,
    Kind.FLAVOR: lambda world: {
        flavor.id: compute_lists.flavor_body(flavor, COMPUTE.highest) for flavor in world.flavors
    },
    Kind.KEYPAIR: _items(
        Kind.KEYPAIR, lambda item: compute_lists.keypair_body(item, COMPUTE.highest)
    ),
    Kind.AGGREGATE: _items(
        Kind.AGGREGATE, lambda item: compute_lists.aggregate_body(item, COMPUTE.highest)
    ),
    Kind.SERVER_GROUP: _items(
        Kind.SERVER_GROUP, lambda item: compute_lists.server_group_body(item, COMPUTE.highest)
    ),
    Kind.HYPERVISOR: lambda world: _by_id(compute_lists.hypervisors(world, COMPUTE.highest)),
    Kind.COMPUTE_SERVICE: lambda world: _by_id(
        compute_lists.compute_services(world, COMPUTE.highest)
    ),
    Kind.AVAILABILITY_ZONE: lambda world: _by_id(compute_lists.zones(world), "zoneName"),
    Kind.VOLUME: _volumes,
    Kind.SNAPSHOT: _items(Kind.SNAPSHOT),
    Kind.BACKUP: _items(Kind.BACKUP),
    Kind.VOLUME_TYPE: _items(Kind.VOLUME_TYPE),
    Kind.ATTACHMENT: lambda world: {
        each.id: volume_lists.attachment_body(volume, each)
        for volume, each in volume_lists.attachments(world)
    },
    Kind.IMAGE: lambda world: {image.id: image_body(image) for image in world.images},
    Kind.PROJECT: lambda world: {
        project.id: project_body(project, "") for project in world.projects
    },
    Kind.USER: lambda world: {user.id: identity_lists.user_body(user, "") for user in world.users},
    Kind.GROUP: _identity(Kind.GROUP),
    Kind.DOMAIN: _identity(Kind.DOMAIN),
    Kind.ROLE: _identity(Kind.ROLE),
    Kind.STACK: _items(Kind.STACK, lambda item: orchestration.stack_body(item, "")),
    Kind.STACK_RESOURCE: _items(Kind.STACK_RESOURCE),
    Kind.NODE: _items(Kind.NODE),
    Kind.BAREMETAL_PORT: _items(Kind.BAREMETAL_PORT),
    Kind.LOAD_BALANCER: _items(Kind.LOAD_BALANCER),
    Kind.LISTENER: _items(Kind.LISTENER),
    Kind.POOL: _items(Kind.POOL),
    Kind.MEMBER: _items(Kind.MEMBER),
    Kind.HEALTH_MONITOR: _items(Kind.HEALTH_MONITOR),
    Kind.L7_POLICY: _items(Kind.L7_POLICY),
    Kind.SHARE: _items(Kind.SHARE),
    Kind.CONTAINER: lambda world: {
        item.id: {**item.body, "project_id": item.project_id}
        for item in world.table(Kind.CONTAINER)
        if item.project_id == world.services["admin"].project_id
    },
}
