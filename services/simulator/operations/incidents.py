"""What goes wrong in a cloud, as its services tell it."""

from services.simulator.notification import Operation, Pause, Request
from services.simulator.objects import Flavor, Server
from services.simulator.operations.nova import Nova
from services.simulator.operations.ports import bind_port
from services.simulator.world import World


def hang_in_build(world: World, request: Request, server: Server) -> Operation:
    """Begin to build a server and never end: a `create.start` without its end."""
    nova = Nova(world, request, server)
    yield from nova.schedule("start")
    yield Pause(0.1)
    yield from nova.schedule("end")
    server.host = world.random.choice(world.hosts)
    yield from nova.become(task="scheduling")
    yield from nova.say("create", "start", {"image_name": "", "message": ""})
    yield from nova.become(task="spawning")


def fail_resize(world: World, request: Request, server: Server, flavor: Flavor) -> Operation:
    """Resize where no host has room: `resize.error` at level error, and the server in error.

    Nova's compute manager sends `resize.error` through the notifier's `error`, with the fault.
    """
    nova = Nova(world, request, server)
    yield from nova.become(task="resize_prep", by="api")
    yield from nova.schedule("start")
    yield Pause(0.1)
    yield from nova.schedule("end")
    news = {"new_instance_type": flavor.name, "new_instance_type_id": flavor.number}
    if world.dialect.legacy:
        yield nova.single("resize.prep.start", news)
    yield Pause(0.3)
    yield from nova.fail("resize", "Insufficient compute resources: Free memory is not enough.")
    yield from nova.become("error", task=None)


def evacuate(world: World, request: Request, server: Server, host: str) -> Operation:
    """Rebuild a server of a failed host on another one.

    The API tells `evacuate`, the conductor `rebuild.scheduled`, the new host `rebuild.*`.
    """
    nova = Nova(world, request, server)
    yield from nova.become(task="rebuilding", by="api")
    if world.dialect.legacy:
        yield nova.single("evacuate", {})
        yield nova.single("rebuild.scheduled", {})
    yield Pause(0.2)
    server.host = host
    yield from nova.say("rebuild", "start")
    for port in world.ports_of(server.id):
        yield from bind_port(world, port, host)
    yield from nova.become(task="rebuild_spawning")
    yield Pause(1)
    server.launched_at = world.now
    yield from nova.become("active", task=None)
    yield from nova.say("rebuild", "end")
