"""What users do to a server while it lives."""

from services.simulator.notification import Json, Operation, Pause, Request
from services.simulator.objects import Flavor, Server
from services.simulator.operations.nova import Nova
from services.simulator.operations.ports import bind_port, set_port_status
from services.simulator.payloads.nova_versioned import flavor_object
from services.simulator.world import World


def stop(world: World, request: Request, server: Server) -> Operation:
    """Power off; the ports go DOWN silently."""
    nova = Nova(world, request, server)
    yield from nova.become(task="powering-off", by="api")
    yield Pause(0.05)
    yield from nova.say("power_off", "start")
    yield Pause(0.3)
    yield from nova.become("stopped", task=None)
    yield from nova.say("power_off", "end")
    _report_ports(world, server, "DOWN")


def start(world: World, request: Request, server: Server) -> Operation:
    """Power on; the ports go ACTIVE silently, a moment later."""
    nova = Nova(world, request, server)
    yield from nova.become(task="powering-on", by="api")
    yield Pause(0.05)
    yield from nova.say("power_on", "start")
    yield Pause(0.3)
    yield from nova.become("active", task=None)
    yield from nova.say("power_on", "end")
    yield Pause(0.2)
    _report_ports(world, server, "ACTIVE")


def reboot(world: World, request: Request, server: Server) -> Operation:
    """Reboot softly."""
    nova = Nova(world, request, server)
    yield from nova.become(task="rebooting", by="api")
    yield Pause(0.05)
    yield from nova.say("reboot", "start")
    yield from nova.become(task="reboot_pending")
    yield from nova.become(task="reboot_started")
    yield Pause(0.4)
    yield from nova.become(task=None)
    yield from nova.say("reboot", "end")


def resize(world: World, request: Request, server: Server, flavor: Flavor) -> Operation:
    """Resize to another flavor, as a rule on another host, and wait for the confirmation."""
    nova = Nova(world, request, server)
    yield from nova.become(task="resize_prep", by="api")
    yield from nova.become(task="resize_prep", by="conductor")
    yield from nova.schedule("start")
    yield Pause(0.1)
    yield from nova.schedule("end")
    news: Json = {"new_instance_type": flavor.name, "new_instance_type_id": flavor.number}
    for phase in ("start", "end"):
        yield from _say_prep(nova, phase, news, flavor)
    yield from nova.become(task="resize_migrating")
    yield from nova.say("resize", "start")
    yield Pause(0.3)
    yield from nova.become(task="resize_migrated")
    yield from nova.say("resize", "end")
    host = world.random.choice(world.hosts)
    moved, server.host, server.flavor_id = host != server.host, host, flavor.id
    yield from nova.become(task="resize_finish")
    if moved:
        for port in world.ports_of(server.id):
            yield from bind_port(world, port, host)
    yield from nova.say("finish_resize", "start")
    yield Pause(0.3)
    server.launched_at = world.now
    yield from nova.become("resized", task=None)
    yield from nova.become(task=None)
    yield from nova.say("finish_resize", "end")


def _say_prep(nova: Nova, phase: str, news: Json, flavor: Flavor) -> Operation:
    if nova.world.dialect.legacy:
        yield nova.single(f"resize.prep.{phase}", news)
    if nova.world.dialect.versioned:
        extra = {"new_flavor": flavor_object(flavor)}
        yield nova.say_versioned("resize_prep", phase, extra)


def confirm_resize(world: World, request: Request, server: Server) -> Operation:
    """Confirm a resize: the server is active again."""
    nova = Nova(world, request, server)
    yield from nova.become(task=None, by="api")
    yield from nova.say("resize.confirm", "start")
    yield Pause(0.1)
    yield from nova.become("active", task=None)
    yield from nova.say("resize.confirm", "end")


def rename(world: World, request: Request, server: Server, name: str) -> Operation:
    """Rename: a lone update is all there is."""
    old_name, server.name = server.name, name
    nova = Nova(world, request, server)
    yield from nova.update(
        old_state=server.vm_state, old_task=server.task_state, by="api", old_name=old_name
    )


def set_metadata(world: World, request: Request, server: Server, key: str, value: str) -> Operation:
    """Set one metadata item: a lone update, with neither state nor task changed."""
    server.metadata[key] = value
    nova = Nova(world, request, server)
    yield from nova.update(old_state=server.vm_state, old_task=server.task_state, by="api")


def _report_ports(world: World, server: Server, status: str) -> None:
    for port in world.ports_of(server.id):
        set_port_status(world, port.id, status)
