"""What happens to volumes, images and projects in the standard life."""

from services.simulator.life.choice import Choice, by_owner, find, name, on
from services.simulator.notification import Operation
from services.simulator.objects import Image, Project, Server, Volume
from services.simulator.operations import images, projects, volumes
from services.simulator.operations.cinder_copies import snapshots_of
from services.simulator.world import World

_LARGEST_VOLUME_GIB = 2000


def _create_volume(world: World) -> Operation | None:
    project = world.projects.pick(world.random)
    if project is None or project.main_network_id is None:
        return None
    request, size = world.request(world.owners[project.id]), world.random.choice((1, 10, 50, 100))
    return on(
        world,
        (),
        volumes.create_volume(world, request, name=name(world, "volume"), size_gib=size),
    )


def _available(world: World) -> Volume | None:
    return find(world, world.volumes, lambda each: each.status == "available")


def _attach(world: World) -> Operation | None:
    volume = _available(world)
    if volume is None:
        return None

    def fits(server: Server) -> bool:
        return server.project_id == volume.project_id and server.vm_state == "active"

    server = find(world, world.servers, fits)
    if server is None:
        return None
    request = by_owner(world, volume)
    return on(world, (volume, server), volumes.attach(world, request, volume, server))


def _detach(world: World) -> Operation | None:
    volume = find(world, world.volumes, lambda each: each.status == "in-use" and not each.bootable)
    if volume is None:
        return None
    server = world.servers[volume.attachments[0].server_id]
    if server.id in world.held:
        return None
    request = by_owner(world, volume)
    return on(world, (volume, server), volumes.detach(world, request, volume, server))


def _extend(world: World) -> Operation | None:
    volume = find(
        world,
        world.volumes,
        lambda each: each.status in {"available", "in-use"} and each.size_gib < _LARGEST_VOLUME_GIB,
    )
    if volume is None:
        return None
    request = by_owner(world, volume)
    return on(world, (volume,), volumes.extend(world, request, volume, volume.size_gib + 10))


def _delete_volume(world: World) -> Operation | None:
    volume = _available(world)
    if volume is None or snapshots_of(world, volume):
        return None
    return on(world, (volume,), volumes.delete_volume(world, by_owner(world, volume), volume))


def _create_image(world: World) -> Operation | None:
    project = world.projects.pick(world.random)
    if project is None or project.main_network_id is None:
        return None
    return on(world, (), images.create_image(world, project.id, name(world, "image")))


def _own_image(world: World) -> Image | None:
    """Find an image that a user made; the public ones stay, since servers are booted from them."""
    return find(
        world,
        world.images,
        lambda each: each.visibility != "public" and each.status == "active",
    )


def _rename_image(world: World) -> Operation | None:
    image = _own_image(world)
    if image is None:
        return None
    return on(world, (image,), images.rename_image(world, image, name(world, "image")))


def _delete_image(world: World) -> Operation | None:
    image = _own_image(world)
    return None if image is None else on(world, (image,), images.delete_image(world, image))


def _create_project(world: World) -> Operation | None:
    request = world.request(world.services["admin"])
    return on(world, (), projects.create_project(world, request, name(world, "project")))


def _empty_project(world: World) -> Project | None:
    """Find a project of the life's own making that never had a network call."""
    return find(
        world,
        world.projects,
        lambda each: (
            each.main_network_id is None
            and each.id in world.owners
            and not world.has_default_group(each.id)
        ),
    )


def _rename_project(world: World) -> Operation | None:
    project = _empty_project(world)
    if project is None:
        return None
    request = world.request(world.services["admin"])
    operation = projects.rename_project(world, request, project, name(world, "project"))
    return on(world, (project,), operation)


def _delete_project(world: World) -> Operation | None:
    project = _empty_project(world)
    if project is None:
        return None
    request = world.request(world.services["admin"])
    return on(world, (project,), projects.delete_project(world, request, project))


OTHER = (
    Choice("create volume", 5, _create_volume),
    Choice("attach volume", 6, _attach),
    Choice("detach volume", 4, _detach),
    Choice("extend volume", 3, _extend),
    Choice("delete volume", 3, _delete_volume),
    Choice("create image", 0.5, _create_image),
    Choice("rename image", 0.4, _rename_image),
    Choice("delete image", 0.5, _delete_image),
    Choice("create project", 0.3, _create_project),
    Choice("rename project", 0.2, _rename_project),
    Choice("delete project", 0.3, _delete_project),
)
