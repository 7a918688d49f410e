"""What users do to volumes. A volume's `attaching` and `detaching` are silent."""

from services.simulator.notification import Deed, Notification, Operation, Pause, Request
from services.simulator.objects import Attachment, Server, Volume
from services.simulator.operations.nova import Nova
from services.simulator.payloads.cinder import publisher, volume_payload
from services.simulator.world import World


def make_volume(world: World, request: Request, *, name: str, size_gib: int) -> Volume:
    """Add a volume in state `creating`; says nothing."""
    return world.volumes.add(
        Volume(
            id=world.uuid(),
            number=world.number("volumes"),
            name=name,
            project_id=request.actor.project_id,
            user_id=request.actor.user_id,
            size_gib=size_gib,
            host="cinder-vol-1@ceph#ceph",
            created_at=world.now,
        )
    )


def create_volume(world: World, request: Request, *, name: str, size_gib: int) -> Deed[Volume]:
    """Create a volume."""
    volume = make_volume(world, request, name=name, size_gib=size_gib)
    yield _say(world, request, volume, "create.start")
    yield Pause(0.3)
    volume.launched_at = world.now
    _set_status(world, volume, "available")
    yield _say(world, request, volume, "create.end")
    return volume


def attach(world: World, request: Request, volume: Volume, server: Server) -> Operation:
    """Attach a volume: Cinder's two, and one of Nova's, which does not touch the server's row."""
    nova = Nova(world, request, server)
    extra = {"volume_id": volume.id}
    _set_status(world, volume, "attaching")
    if world.dialect.versioned:
        yield nova.say_versioned("volume_attach", "start", extra)
    yield _say(world, request, volume, "attach.start")
    yield Pause(0.2)
    connect(world, volume, server)
    yield _say(world, request, volume, "attach.end")
    if world.dialect.legacy:
        yield nova.single("volume.attach", extra)
    if world.dialect.versioned:
        yield nova.say_versioned("volume_attach", "end", extra)


def connect(world: World, volume: Volume, server: Server) -> None:
    """Make a volume part of a server; says nothing."""
    device = f"/dev/vd{chr(ord('a') + len(server.volume_ids) % 26)}"
    volume.attachments.append(
        Attachment(world.uuid(), server.id, server.host or "", device, world.now)
    )
    server.volume_ids.append(volume.id)
    _set_status(world, volume, "in-use")


def detach(world: World, request: Request, volume: Volume, server: Server) -> Operation:
    """Detach a volume on a user's request."""
    nova = Nova(world, request, server)
    extra = {"volume_id": volume.id}
    if world.dialect.versioned:
        yield nova.say_versioned("volume_detach", "start", extra)
    yield from detach_from_server(world, request, volume, server)
    if world.dialect.legacy:
        yield nova.single("volume.detach", extra)
    if world.dialect.versioned:
        yield nova.say_versioned("volume_detach", "end", extra)


def detach_from_server(world: World, request: Request, volume: Volume, server: Server) -> Operation:
    """Detach a volume as Cinder announces it, also when its server is deleted."""
    _set_status(world, volume, "detaching")
    yield _say(world, request, volume, "detach.start")
    yield Pause(0.2)
    volume.attachments = [each for each in volume.attachments if each.server_id != server.id]
    server.volume_ids.remove(volume.id)
    _set_status(world, volume, "available")
    yield _say(world, request, volume, "detach.end")


def extend(world: World, request: Request, volume: Volume, size_gib: int) -> Operation:
    """Extend a volume: the notifications are called `resize`."""
    before = volume.status
    _set_status(world, volume, "extending")
    yield _say(world, request, volume, "resize.start", size_gib=size_gib)
    yield Pause(0.2)
    volume.size_gib = size_gib
    _set_status(world, volume, before)
    yield _say(world, request, volume, "resize.end")


def delete_volume(world: World, request: Request, volume: Volume) -> Operation:
    """Delete a volume."""
    _set_status(world, volume, "deleting")
    yield _say(world, request, volume, "delete.start")
    yield Pause(0.2)
    world.volumes.remove(volume.id)
    yield _say(world, request, volume, "delete.end")


def _set_status(world: World, volume: Volume, status: str) -> None:
    volume.status = status
    volume.updated_at = world.now


def _say(
    world: World, request: Request, volume: Volume, action: str, *, size_gib: int | None = None
) -> Notification:
    payload = volume_payload(world, volume)
    if size_gib is not None:
        payload["size"] = size_gib
    return world.notification(
        world.dialect.cinder_exchange,
        publisher(volume),
        f"volume.{action}",
        payload,
        request.context(world.now),
    )
