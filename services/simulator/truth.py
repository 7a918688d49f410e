"""What really is: every living object of a kind, for tests to compare an inventory with."""

from services.simulator.api.identity import project_body
from services.simulator.api.image import image_body
from services.simulator.api.microversions import COMPUTE, VOLUME
from services.simulator.api.network import COLLECTIONS
from services.simulator.api.server_body import server_body
from services.simulator.api.volume import volume_body
from services.simulator.notification import Json
from services.simulator.world import World
from shared.resource import Kind

_NEUTRON_KINDS = {"floatingip": Kind.FLOATING_IP.value}


def truth(world: World, kind: str) -> dict[str, Json]:
    """Return the living objects of a kind by id, as the newest API shows them to administrators.

    Links lack the scheme and host. Raises KeyError for a kind that the simulator does not have.
    """
    if kind == Kind.SERVER:
        return {
            server.id: server_body(world, server, minor=COMPUTE.highest, admin=True, origin="")
            for server in world.servers
        }
    if kind == Kind.VOLUME:
        return {
            volume.id: volume_body(volume, minor=VOLUME.highest, admin=True, origin="")
            for volume in world.volumes
        }
    if kind == Kind.IMAGE:
        return {image.id: image_body(image) for image in world.images}
    if kind == Kind.PROJECT:
        return {project.id: project_body(project, "") for project in world.projects}
    for collection in COLLECTIONS:
        if kind == _NEUTRON_KINDS.get(collection.singular, collection.singular):
            table = collection.table(world)
            return {item.id: collection.shown(world, item, admin=True) for item in table}
    raise KeyError(kind)
