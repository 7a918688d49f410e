"""What booting, changing and deleting a server sends, as one real control plane was seen to."""

from collections import Counter
from collections.abc import Callable

import pytest

from services.simulator.deeds import perform
from services.simulator.notification import (
    NOTIFICATIONS,
    VERSIONED,
    Notification,
    Operation,
    Pause,
    Request,
)
from services.simulator.objects import Network, Server
from services.simulator.operations import server_actions, servers
from services.simulator.operations.volumes import attach, connect, make_volume
from services.simulator.world import World


def types(sent: list[Notification], topic: str = NOTIFICATIONS) -> list[str]:
    return [each.event_type for each in sent if each.topic == topic]


def building(world: World, request: Request) -> Server:
    flavor, image = next(iter(world.flavors)), next(iter(world.images))
    return servers.new_server(world, request, name="new", flavor=flavor, image=image)


def test_booting_sends_fifteen_legacy_and_eleven_versioned_notifications(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    server = building(world, request_by_demo)
    sent = perform(world, servers.boot(world, request_by_demo, server, demo_network))
    assert Counter(types(sent)) == {
        "scheduler.select_destinations.start": 1,
        "scheduler.select_destinations.end": 1,
        "compute.instance.update": 7,
        "compute.instance.create.start": 1,
        "compute.instance.create.end": 1,
        "port.create.start": 1,
        "port.create.end": 1,
        "port.update.start": 1,
        "port.update.end": 1,
    }
    assert Counter(types(sent, VERSIONED)) == {
        "scheduler.select_destinations.start": 1,
        "scheduler.select_destinations.end": 1,
        "instance.update": 7,
        "instance.create.start": 1,
        "instance.create.end": 1,
    }
    assert server.vm_state == "active"


def test_a_port_becomes_active_after_the_boot_without_a_notification(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    server = building(world, request_by_demo)
    seen = [
        step.message["payload"]["port"]["status"]
        for step in servers.boot(world, request_by_demo, server, demo_network)
        if isinstance(step, Notification) and step.event_type == "port.update.end"
    ]
    (port,) = world.ports_of(server.id)
    assert (seen, port.status) == (["DOWN"], "ACTIVE")


def test_while_it_boots_the_world_shows_it_building(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    server = building(world, request_by_demo)
    states = [
        (server.vm_state, server.task_state)
        for step in servers.boot(world, request_by_demo, server, demo_network)
        if isinstance(step, Pause)
    ]
    assert ("building", "spawning") in states


def test_a_boot_without_a_host_sends_no_create_but_an_error(
    world: World, request_by_demo: Request
) -> None:
    server = building(world, request_by_demo)
    sent = perform(world, servers.boot_without_host(world, request_by_demo, server))
    assert types(sent) == [
        "scheduler.select_destinations.start",
        "compute.instance.update",
        "compute_task.build_instances",
    ]
    assert sent[-2].message["priority"] == "ERROR"
    assert server.vm_state == "error"


def test_a_server_deleted_while_scheduling_vanishes_without_a_delete_event(
    world: World, request_by_demo: Request
) -> None:
    server = building(world, request_by_demo)
    operation = servers.boot_and_delete_while_scheduling(world, request_by_demo, server)
    assert set(types(perform(world, operation))) == {
        "scheduler.select_destinations.start",
        "scheduler.select_destinations.end",
    }
    assert server.id not in world.servers


def test_deleting_with_a_boot_volume_sends_twelve_and_six_and_ends_with_delete_end(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    server = building(world, request_by_demo)
    perform(world, servers.boot(world, request_by_demo, server, demo_network))
    volume = make_volume(world, request_by_demo, name="root", size_gib=10)
    connect(world, volume, server)
    volume.bootable = True
    sent = perform(world, servers.delete_server(world, request_by_demo, server))
    assert (len(types(sent)), len(types(sent, VERSIONED))) == (12, 6)
    assert types(sent)[-2:] == ["compute.instance.update", "compute.instance.delete.end"]
    assert server.id not in world.servers
    assert volume.id not in world.volumes
    assert not world.ports_of(server.id)


@pytest.mark.parametrize(
    ("operation", "count"),
    [(server_actions.stop, 4), (server_actions.start, 4), (server_actions.reboot, 6)],
)
def test_actions_send_as_many_notifications_as_were_counted(
    world: World,
    request_by_demo: Request,
    demo_server: Server,
    operation: Callable[[World, Request, Server], Operation],
    count: int,
) -> None:
    sent = perform(world, operation(world, request_by_demo, demo_server))
    assert (len(types(sent)), len(types(sent, VERSIONED))) == (count, count)


def test_a_resize_sends_fifteen_or_seventeen_and_its_confirmation_four(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    flavor = next(each for each in world.flavors if each.id != demo_server.flavor_id)
    host = demo_server.host
    sent = perform(world, server_actions.resize(world, request_by_demo, demo_server, flavor))
    moved = demo_server.host != host
    assert (len(types(sent)), len(types(sent, VERSIONED))) == (17 if moved else 15, 15)
    assert (demo_server.vm_state, demo_server.flavor_id) == ("resized", flavor.id)
    confirmed = server_actions.confirm_resize(world, request_by_demo, demo_server)
    sent = perform(world, confirmed)
    assert (len(types(sent)), len(types(sent, VERSIONED))) == (4, 4)


def test_a_rename_is_a_lone_update(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    old = demo_server.name
    sent = perform(world, server_actions.rename(world, request_by_demo, demo_server, "other"))
    assert types(sent) == ["compute.instance.update"]
    payload = sent[0].message["payload"]
    assert (payload["display_name"], payload["old_display_name"]) == ("other", old)
    assert payload["state"] == payload["old_state"]


def test_attaching_a_volume_leaves_the_servers_update_time_alone(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    volume = make_volume(world, request_by_demo, name="data", size_gib=10)
    before = demo_server.updated_at
    sent = perform(world, attach(world, request_by_demo, volume, demo_server))
    assert types(sent) == [
        "volume.attach.start",
        "volume.attach.end",
        "compute.instance.volume.attach",
    ]
    assert demo_server.updated_at == before
    assert volume.id in demo_server.volume_ids


def test_the_scheduler_gives_the_callers_token_away(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    server = building(world, request_by_demo)
    first = perform(world, servers.boot(world, request_by_demo, server, demo_network))[0]
    properties = first.message["payload"]["request_spec"]["instance_properties"]
    assert properties["pci_requests"]["_context"]["auth_token"].startswith("gAAAAAB")
