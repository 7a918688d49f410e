"""The birth and death of servers, as one control plane was seen to announce them."""

from services.simulator.notification import Operation, Pause, Request
from services.simulator.objects import Flavor, Image, Network, Server
from services.simulator.operations.nova import Nova
from services.simulator.operations.ports import (
    bind_port,
    create_port,
    delete_port,
    set_port_status,
)
from services.simulator.operations.volumes import delete_volume, detach_from_server
from services.simulator.world import World


def new_server(
    world: World, request: Request, *, name: str, flavor: Flavor, image: Image
) -> Server:
    """Add a server in state BUILD, scheduling; says nothing."""
    actor = request.actor
    return world.servers.add(
        Server(
            id=world.uuid(),
            number=world.number("instances"),
            name=name,
            project_id=actor.project_id,
            user_id=actor.user_id,
            flavor_id=flavor.id,
            image_id=image.id,
            reservation_id=f"r-{world.random.getrandbits(40):08x}"[:10],
            created_at=world.second(),
            updated_at=world.second(),
            security_group_ids=[world.default_group(actor.project_id).id],
        )
    )


def boot(world: World, request: Request, server: Server, network: Network) -> Operation:
    """Build a new server with one port.

    Two scheduler notifications, seven updates, `create.start` and `.end`, four of the port. The
    port becomes ACTIVE a little after `create.end`, silently, as its status always changes.
    """
    nova = Nova(world, request, server)
    yield from nova.schedule("start")
    yield Pause(0.1)
    yield from nova.schedule("end")
    yield from nova.update(old_state=None, old_task=None, by="conductor")
    yield Pause(0.1)
    host = world.random.choice(world.hosts)
    server.host = host
    yield from nova.become(task="scheduling")
    yield from nova.say("create", "start", {"image_name": "", "message": ""})
    yield from nova.become(task="networking")
    port = yield from create_port(world, request, network, device_id=server.id)
    yield from nova.become(task="block_device_mapping")
    yield from bind_port(world, port, host)
    yield from nova.become(task="spawning")
    yield Pause(0.6)
    server.launched_at = world.now
    yield from nova.become("active", task=None)
    yield from nova.become(task=None)
    yield from nova.say("create", "end", {"image_name": "", "message": "Success"})
    yield Pause(0.3)
    set_port_status(world, port.id, "ACTIVE")


def boot_without_host(world: World, request: Request, server: Server) -> Operation:
    """Fail to find a host: no `create.*`, an update to `error`, a notification at level error."""
    nova = Nova(world, request, server)
    yield from nova.schedule("start")
    yield Pause(0.2)
    old_task = server.task_state
    server.vm_state, server.task_state = "error", None
    yield from nova.update(old_state=None, old_task=old_task, by="conductor")
    yield from nova.no_valid_host()


def boot_and_delete_while_scheduling(world: World, request: Request, server: Server) -> Operation:
    """Delete a server while it is being scheduled: nothing says that it is gone."""
    nova = Nova(world, request, server)
    yield from nova.schedule("start")
    yield Pause(0.2)
    yield from nova.schedule("end")
    _mark_deleted(world, server)
    world.bury(server)


def delete_server(world: World, request: Request, server: Server) -> Operation:
    """Delete a server with its ports and boot volume; other volumes are detached.

    Between the update to `deleted` and `delete.end` a GET can answer 200 with status DELETED.
    """
    nova = Nova(world, request, server)
    yield from nova.become(task="deleting", by="api")
    yield Pause(0.05)
    yield from nova.say("delete", "start")
    yield from nova.say("shutdown", "start")
    yield Pause(0.2)
    for port in world.ports_of(server.id):
        yield from delete_port(world, request, port)
    yield from nova.say("shutdown", "end")
    yield from _release_volumes(world, request, server)
    _mark_deleted(world, server)
    yield from nova.update(old_state="active", old_task="deleting")
    yield Pause(0.05)
    world.bury(server)
    yield from nova.say("delete", "end")


def _release_volumes(world: World, request: Request, server: Server) -> Operation:
    for volume_id in list(server.volume_ids):
        volume = world.volumes[volume_id]
        yield from detach_from_server(world, request, volume, server)
        if volume.bootable:
            yield from delete_volume(world, request, volume)


def _mark_deleted(world: World, server: Server) -> None:
    server.vm_state, server.task_state = "deleted", None
    server.deleted_at = world.now
    server.updated_at = world.second()
