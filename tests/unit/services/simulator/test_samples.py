"""What the simulator sends has the shape of what the real services were captured sending."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.simulator.deeds import perform
from services.simulator.notification import Notification, Request
from services.simulator.objects import Network, Server
from services.simulator.operations import images, networks, ports, security_groups, servers, volumes
from services.simulator.operations.projects import create_project
from services.simulator.world import World

SAMPLES = Path(__file__).parents[5] / "shared" / "samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the captured notifications are not beside this checkout"
)

CASES = [
    ("nova/unversioned", "compute.instance.create.end"),
    ("nova/unversioned", "compute.instance.create.start"),
    ("nova/unversioned", "compute.instance.delete.end"),
    ("nova/unversioned", "compute.instance.volume.attach"),
    ("nova/versioned", "instance.create.end"),
    ("nova/versioned", "instance.update"),
    ("nova/versioned", "instance.delete.end"),
    ("nova/versioned", "scheduler.select_destinations.start"),
    ("neutron/unversioned", "port.create.end"),
    ("neutron/unversioned", "port.delete.start"),
    ("neutron/unversioned", "network.create.end"),
    ("neutron/unversioned", "subnet.create.end"),
    ("neutron/unversioned", "router.create.end"),
    ("neutron/unversioned", "security_group.create.end"),
    ("neutron/unversioned", "security_group_rule.create.end"),
    ("cinder/unversioned", "volume.create.end"),
    ("cinder/unversioned", "volume.attach.end"),
    ("glance/unversioned", "image.create"),
    ("glance/unversioned", "image.upload"),
    ("glance/unversioned", "image.update"),
    ("keystone/cadf", "identity.project.created"),
]
DIFFERENT = {
    # Sent by some releases only, or only for images that have it.
    ("nova/unversioned", "compute.instance.create.end"): {"org.openstack__1__architecture"},
    ("nova/unversioned", "compute.instance.create.start"): {"org.openstack__1__architecture"},
    ("nova/unversioned", "compute.instance.delete.end"): {"org.openstack__1__architecture"},
    ("nova/unversioned", "compute.instance.volume.attach"): {"org.openstack__1__architecture"},
}
FREE = frozenset({"metadata", "properties", "extra_specs", "connection_info", "connector", "image"})


@pytest.fixture
def sent(
    world: World, request_by_demo: Request, demo_network: Network, demo_server: Server
) -> list[Notification]:
    """Return what many operations send, of each event type the last one counting."""
    request = request_by_demo
    external = next(network for network in world.networks if network.external)
    flavor, image = next(iter(world.flavors)), next(iter(world.images))
    server = servers.new_server(world, request, name="new", flavor=flavor, image=image)
    notifications = perform(world, servers.boot(world, request, server, demo_network))
    notifications += perform(world, ports.create_port(world, request, demo_network))
    port = next(reversed(world.ports))
    notifications += perform(world, ports.delete_port(world, request, port))
    notifications += perform(world, networks.create_network(world, request, "n"))
    notifications += perform(world, networks.create_router(world, request, "r", external))
    notifications += perform(world, security_groups.create_group(world, request, "g"))
    group = next(reversed(world.security_groups))
    notifications += perform(world, security_groups.create_rule(world, request, group, 80))
    notifications += perform(world, volumes.create_volume(world, request, name="v", size_gib=1))
    volume = next(reversed(world.volumes))
    notifications += perform(world, volumes.attach(world, request, volume, demo_server))
    notifications += perform(world, images.create_image(world, server.project_id, "i"))
    notifications += perform(world, create_project(world, request, "p"))
    return notifications + perform(world, servers.delete_server(world, request, server))


def paths(value: Any, at: str = "") -> set[str]:
    """Return the paths of all keys; of a list only the first item, what is free-form not at all."""
    if isinstance(value, list):
        return paths(value[0], f"{at}/*") if value else set()
    if not isinstance(value, dict):
        return set()
    below = {f"{at}/{key}" for key in value}
    for key, inner in value.items():
        if key not in FREE:
            below |= paths(inner, f"{at}/{key}")
    return below


@pytest.mark.parametrize(("folder", "event_type"), CASES)
def test_payloads_have_the_keys_of_captured_ones(
    sent: list[Notification], folder: str, event_type: str
) -> None:
    modern = SAMPLES / folder / f"{event_type}__modern.json"
    path = modern if modern.exists() else SAMPLES / folder / f"{event_type}.json"
    sample = json.loads(path.read_text(encoding="utf-8"))["payload"]
    ours = next(each.message["payload"] for each in reversed(sent) if each.event_type == event_type)
    missing = {
        key
        for key in paths(sample) - paths(ours)
        if key.rpartition("/")[2] not in DIFFERENT.get((folder, event_type), set())
    }
    # Lists may be empty in one of the two; what is inside them is another matter.
    assert {key for key in missing if "/*" not in key} == set()
