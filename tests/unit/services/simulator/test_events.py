"""Panko's store: what becomes an event, with which traits, and when it can be seen."""

from datetime import timedelta
from random import Random
from typing import Any

import orjson
import pytest

from services.simulator.deeds import perform
from services.simulator.events import EventStore, between, make_event
from services.simulator.notification import VERSIONED, Notification, Request
from services.simulator.objects import Network, Server
from services.simulator.operations.cinder_copies import create_snapshot
from services.simulator.operations.identities import create_user
from services.simulator.operations.images import create_image
from services.simulator.operations.networks import add_interface
from services.simulator.operations.ports import create_port
from services.simulator.operations.projects import create_project
from services.simulator.operations.server_actions import rename
from services.simulator.operations.stacks import create_stack
from services.simulator.settings import EventMisbehaviour
from services.simulator.world import World
from tests.support.events import NOON


def store(*, kept: int = 1000) -> EventStore:
    return EventStore(Random(1), store_raw=False, kept=kept)


def notification(n: int, **different: Any) -> Notification:
    message = {
        "message_id": f"id-{n:04}",
        "publisher_id": "network.ctl1",
        "event_type": "port.update.end",
        "priority": "INFO",
        "timestamp": f"2026-11-23 12:00:{n % 60:02}.000001",
        "payload": {},
    } | different
    return Notification("neutron", "notifications", message)


def traits(notification: Notification) -> dict[str, str]:
    body = orjson.loads(make_event(notification.message, raw=False).body)
    return {trait["name"]: trait["value"] for trait in body["traits"]}


def test_events_are_ordered_by_time_whatever_the_order_of_recording() -> None:
    events = store()
    for n in (3, 1, 2):
        events.record(notification(n), NOON)
    assert [id_ for _, id_ in events.visible(NOON)] == ["id-0001", "id-0002", "id-0003"]


@pytest.mark.parametrize("priority", ["WARN", "DEBUG", "AUDIT", "CRITICAL", "SAMPLE"])
def test_other_priorities_than_info_and_error_never_become_events(priority: str) -> None:
    events = store()
    events.record(notification(1, priority=priority), NOON)
    assert not events.visible(NOON)


def test_versioned_notifications_never_become_events() -> None:
    events = store()
    events.record(Notification("nova", VERSIONED, notification(1).message), NOON)
    assert not events.visible(NOON)


def test_an_event_recorded_late_appears_before_those_seen_already() -> None:
    events = store()
    events.misbehaviour = EventMisbehaviour(recorded_late=1, late_by=5)
    events.record(notification(1), NOON)
    events.misbehaviour = EventMisbehaviour()
    events.record(notification(2), NOON)
    assert [id_ for _, id_ in events.visible(NOON)] == ["id-0002"]
    later = NOON + timedelta(seconds=5)
    assert [id_ for _, id_ in events.visible(later)] == ["id-0001", "id-0002"]


def test_the_oldest_events_expire() -> None:
    events = store(kept=100)
    for n in range(300):
        events.record(notification(n, timestamp=f"2026-11-23 12:00:00.{n:06}"), NOON)
    assert 100 <= len(events.visible(NOON)) <= 200
    assert events.get("id-0000") is None
    assert events.get("id-0299") is not None


def test_both_ends_of_a_time_range_are_included() -> None:
    positions = [(NOON + timedelta(seconds=n), f"id-{n}") for n in range(5)]
    assert between(positions, positions[1][0], positions[3][0]) == (1, 4)


def test_a_servers_event_has_its_id_and_only_the_service_of_its_publisher(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    sent = perform(world, rename(world, request_by_demo, demo_server, "x" * 300))[0]
    found = traits(sent)
    assert found["resource_id"] == found["instance_id"] == demo_server.id
    assert found["service"] == "compute"
    assert found["vcpus"] == str(world.flavors[demo_server.flavor_id].vcpus)
    assert len(found["display_name"]) == 255


def test_a_ports_create_start_and_router_interfaces_have_no_resource_id(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    start, end = perform(world, create_port(world, request_by_demo, demo_network))
    router = next(iter(world.routers))
    (interface,) = perform(world, add_interface(world, request_by_demo, router, demo_network))
    assert "resource_id" not in traits(start)
    assert traits(end)["resource_id"] in world.ports
    assert "resource_id" not in traits(interface)


def test_an_images_events_have_the_owner_as_user_and_activate_has_nothing(world: World) -> None:
    project = next(iter(world.projects))
    sent = perform(world, create_image(world, project.id, "new"))
    by_type = {each.event_type: traits(each) for each in sent}
    assert by_type["image.upload"]["status"] == "active"
    assert by_type["image.upload"]["user_id"] == project.id
    assert set(by_type["image.activate"]) == set(by_type["image.prepare"]) == {"service"}


def test_a_projects_event_has_the_actors_project(world: World, request_by_demo: Request) -> None:
    (sent,) = perform(world, create_project(world, request_by_demo, "new"))
    found = traits(sent)
    assert found["project_id"] == request_by_demo.actor.project_id
    assert found["resource_id"] != found["project_id"]


def test_raw_is_the_message_as_the_listener_sees_it() -> None:
    message = notification(1, payload={"a": 1}, _context_request_id="req-1").message
    raw = orjson.loads(make_event(message, raw=True).body)["raw"]
    assert raw == {
        "ctxt": {"request_id": "req-1"},
        "publisher_id": "network.ctl1",
        "event_type": "port.update.end",
        "payload": {"a": 1},
        "metadata": {"message_id": "id-0001", "timestamp": "2026-11-23 12:00:01.000001"},
    }


def test_snapshots_stacks_and_users_have_the_ids_that_the_stock_definitions_give_them(
    world: World, request_by_demo: Request
) -> None:
    volume = next(iter(world.volumes))
    deeds = {
        "snapshot.create.end": create_snapshot(world, request_by_demo, volume, "before"),
        "orchestration.stack.create.end": create_stack(world, request_by_demo, "site-2"),
        "identity.user.created": create_user(world, request_by_demo, "eve", volume.project_id),
    }
    for event_type, deed in deeds.items():
        [told] = [each for each in perform(world, deed) if each.event_type == event_type]
        made = traits(told)["resource_id"]
        tables = (world.table("snapshot"), world.table("stack"), world.users)
        assert any(made in table for table in tables), event_type
