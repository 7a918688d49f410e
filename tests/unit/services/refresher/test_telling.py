"""What events tell of objects without any read, on payloads as the services send them."""

from datetime import timedelta
from typing import Any

import pytest

from services.refresher.resources import ALL
from services.refresher.telling import Need, Told, told
from shared.catalogue.load import builtin
from shared.event import Action, Event, Flavour, Phase
from shared.resource import ResourceRef
from tests.support.events import NOON, event

PORT = {
    "id": "a",
    "name": "web",
    "project_id": "p",
    "status": "ACTIVE",
    "device_owner": "compute:nova",
    "binding:host_id": "host-1",
    "revision_number": 4,
}
NOVA = {
    "instance_id": "server-1",
    "display_name": "web",
    "tenant_id": "p",
    "state": "stopped",
    "state_description": "",
    "host": "host-1",
    "node": "host-1.example.org",
    "metadata": {"tier": "web"},
}


def one(event_: Event, *, late: timedelta = timedelta(0)) -> Told:
    (found,) = told(event_, builtin(), ALL, now=event_.time + late)
    return found


def neutron(kind: str, item: dict[str, Any], **different: Any) -> Event:
    name = kind.replace("floating_ip", "floatingip")
    fields = {
        "type": f"{name}.update.end",
        "service": "network",
        "subjects": (ResourceRef("prod", kind, str(item["id"])),),
        "payload": {name: item},
    }
    return event("e", **fields | different)


def test_a_port_with_its_binding_tells_all() -> None:
    found = one(neutron("port", PORT))

    assert (found.need, found.snapshot.partial) == (Need.NOTHING, True)
    assert (found.snapshot.name, found.snapshot.status, found.snapshot.revision) == (
        "web",
        "ACTIVE",
        4,
    )


def test_a_port_as_a_member_sees_it_is_read_unless_it_was() -> None:
    item = {name: value for name, value in PORT.items() if name != "binding:host_id"}

    assert one(neutron("port", item)).need is Need.UNLESS_READ


def test_a_port_that_an_agent_will_bring_up_is_left_to_what_follows() -> None:
    assert one(neutron("port", PORT | {"status": "DOWN"})).need is Need.LATER


@pytest.mark.parametrize(
    ("status", "port", "need"),
    [
        ("DOWN", "a", Need.READ),
        ("ACTIVE", "a", Need.NOTHING),
        ("ACTIVE", None, Need.READ),
        ("DOWN", None, Need.NOTHING),
    ],
)
def test_a_floating_ip_is_read_until_its_status_fits_its_port(
    status: str, port: str | None, need: Need
) -> None:
    item = {"id": "f", "status": status, "port_id": port, "revision_number": 1}

    assert one(neutron("floating_ip", item)).need is need


def test_an_object_without_a_revision_tells_nothing() -> None:
    item = {name: value for name, value in PORT.items() if name != "revision_number"}

    assert told(neutron("port", item), builtin(), ALL, now=NOON) == []


@pytest.mark.parametrize(
    "different",
    [
        {"phase": Phase.START},
        {"phase": Phase.ERROR},
        {"action": Action.DELETE},
        {"action": Action.NONE},
        {"flavour": Flavour.TRAITS},
        {"payload": "a text"},
        {"subjects": ()},
    ],
)
def test_only_the_end_of_a_change_tells_the_object(different: dict[str, Any]) -> None:
    assert told(neutron("port", PORT, **different), builtin(), ALL, now=NOON) == []


def test_old_news_is_merged_and_read_as_well() -> None:
    assert one(neutron("port", PORT), late=timedelta(minutes=2)).need is Need.READ


def test_a_clock_ahead_of_ours_cannot_tell_the_future() -> None:
    ahead = neutron("port", PORT)

    (found,) = told(ahead, builtin(), ALL, now=ahead.time - timedelta(seconds=5))

    assert found.snapshot.observed_at == ahead.time - timedelta(seconds=5)


def test_a_legacy_server_tells_its_state_in_the_words_of_the_api() -> None:
    found = one(event("e", payload=NOVA))

    assert found.need is Need.READ
    assert found.snapshot.status == "SHUTOFF"
    assert dict(found.snapshot.object) == {
        "id": "server-1",
        "name": "web",
        "status": "SHUTOFF",
        "tenant_id": "p",
        "metadata": {"tier": "web"},
        "OS-EXT-STS:vm_state": "stopped",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-SRV-ATTR:host": "host-1",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "host-1.example.org",
    }


def test_a_server_with_a_task_is_left_to_the_event_that_ends_it() -> None:
    busy = {"state": "active", "state_description": "resize_prep"}

    found = one(event("e", payload=NOVA | busy))

    assert (found.need, found.snapshot.status) == (Need.LATER, "RESIZE")


def test_a_versioned_server_tells_its_power_and_lock_too() -> None:
    data = {"uuid": "server-1", "state": "paused", "task_state": None, "power_state": "paused"}
    payload = {
        "nova_object.name": "InstanceActionPayload",
        "nova_object.data": data | {"locked": True},
    }

    found = one(event("e", type="instance.pause.end", flavour=Flavour.VERSIONED, payload=payload))

    assert found.snapshot.object["OS-EXT-STS:power_state"] == 3
    assert found.snapshot.object["locked"] is True
    assert found.snapshot.status == "PAUSED"


DETACHED = {"canonical": "compute.instance.volume.detach"}


def test_a_server_that_loses_a_volume_is_read_only_where_that_does_not_settle_it() -> None:
    legacy = one(event("e", payload=NOVA | {"volume_id": "v"}, **DETACHED))
    data = {"uuid": "server-1", "state": "active", "task_state": None, "volume_id": "v"}
    versioned = {"nova_object.name": "InstanceActionVolumePayload", "nova_object.data": data}
    modern = one(event("e", flavour=Flavour.VERSIONED, payload=versioned, **DETACHED))

    assert legacy.need is modern.need is Need.UNLESS_READ
    gone = {"os-extended-volumes:volumes_attached": {"v"}}
    assert legacy.snapshot.gone == modern.snapshot.gone == gone


def test_a_detach_that_names_no_volume_is_read() -> None:
    found = one(event("e", payload=NOVA, **DETACHED))

    assert (found.need, found.snapshot.gone) == (Need.READ, {})


@pytest.mark.parametrize("state", ["deleted", "", None, "of a later release"])
def test_a_server_in_a_state_that_the_api_may_not_show_tells_nothing(state: str | None) -> None:
    assert told(event("e", payload=NOVA | {"state": state}), builtin(), ALL, now=NOON) == []


def test_an_image_tells_its_properties_and_is_read_for_the_rest() -> None:
    payload = {"id": "i", "status": "active", "owner": "p", "properties": {"hw_disk_bus": "virtio"}}
    image = event(
        "e",
        type="image.upload",
        service="image",
        subjects=(ResourceRef("prod", "image", "i"),),
        payload=payload,
    )

    found = one(image)

    assert (found.need, found.snapshot.status) == (Need.READ, "active")
    assert found.snapshot.object["hw_disk_bus"] == "virtio"
