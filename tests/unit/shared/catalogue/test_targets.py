from typing import Any

import pytest

from shared.catalogue.load import builtin
from shared.catalogue.targets import complete_objects, deletions, targets
from shared.event import Event
from tests.support.notifications import (
    attachment,
    cinder_volume,
    event_of,
    glance_image,
    keystone_basic,
    keystone_cadf,
    legacy_nova,
    message,
    neutron,
    panko,
    port,
    versioned_nova,
)

Wanted = list[tuple[str, str, str]]
SERVER = ("server", "id", "server-1")
SERVERS_PORTS = ("port", "device_id", "server-1")
FLOATING = {
    "id": "fip-1",
    "port_id": "port-1",
    "router_id": "router-1",
    "port_details": {"device_id": "server-1", "device_owner": "compute:nova"},
}
INTERFACE = {"router_interface": {"id": "router-1", "port_id": "port-1", "subnet_id": "subnet-1"}}
RULE = {"id": "rule-1", "security_group_id": "group-1"}


def wanted_by(event: Event) -> Wanted:
    return [(target.kind, target.by, target.key) for target in targets(event, builtin())]


def gone_by(event: Event) -> list[tuple[str, str]]:
    return [(ref.kind, ref.id) for ref in deletions(event, builtin())]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (legacy_nova("compute.instance.create.end"), [SERVER, SERVERS_PORTS]),
        (legacy_nova("compute.instance.create.error"), [SERVER]),
        (legacy_nova("compute.instance.update"), [SERVER]),
        (legacy_nova("compute.instance.snapshot.start"), [SERVER]),
        (
            legacy_nova("compute.instance.volume.attach", volume_id="volume-1"),
            [SERVER, ("volume", "id", "volume-1")],
        ),
        (versioned_nova("instance.interface_attach.end"), [SERVER, SERVERS_PORTS]),
        (
            message("compute_task.build_instances", {"instance_id": "server-1"}, priority="ERROR"),
            [SERVER],
        ),
        (
            neutron("port.update.end", {"port": port()}),
            [("port", "id", "port-1"), SERVER],
        ),
        (
            neutron("network.create.end", {"networks": [{"id": "a"}, {"id": "b"}]}),
            [("network", "id", "a"), ("network", "id", "b")],
        ),
        (
            neutron("subnet.create.end", {"subnet": {"id": "s", "network_id": "n"}}),
            [("subnet", "id", "s"), ("network", "id", "n")],
        ),
        (
            neutron("router.update.end", {"router": {"id": "router-1"}}),
            [("router", "id", "router-1"), ("port", "device_id", "router-1")],
        ),
        (
            neutron("router.interface.create", INTERFACE),
            [
                ("router", "id", "router-1"),
                ("port", "device_id", "router-1"),
                ("port", "id", "port-1"),
            ],
        ),
        (
            neutron("floatingip.update.end", {"floatingip": FLOATING}),
            [
                ("floating_ip", "id", "fip-1"),
                SERVER,
            ],
        ),
        (
            neutron("floatingip.update.end", {"floatingip": {"id": "fip-1", "port_id": None}}),
            [("floating_ip", "id", "fip-1")],
        ),
        (
            neutron("floatingip.create.end", {"floatingip": {"id": "fip-1"}}),
            [("floating_ip", "id", "fip-1"), ("port", "device_id", "fip-1")],
        ),
        (
            neutron("security_group.update.end", {"security_group": {"id": "group-1"}}),
            [("security_group", "id", "group-1")],
        ),
        (
            neutron("security_group_rule.create.end", {"security_group_rule": RULE}),
            [("security_group_rule", "id", "rule-1"), ("security_group", "id", "group-1")],
        ),
        (
            cinder_volume("volume.attach.end", volume_attachment=[attachment()]),
            [("volume", "id", "volume-1"), SERVER, ("attachment", "volume_id", "volume-1")],
        ),
        (
            cinder_volume("volume.detach.end"),
            [("volume", "id", "volume-1"), ("attachment", "volume_id", "volume-1")],
        ),
        (cinder_volume("volume.transfer.delete.end"), [("volume", "id", "volume-1")]),
        (
            message("snapshot.create.start", {"snapshot_id": "s", "volume_id": "v"}),
            [("snapshot", "id", "s"), ("volume", "id", "v")],
        ),
        (glance_image("image.upload"), [("image", "id", "image-1")]),
        (glance_image("image.upload", "it failed", priority="ERROR"), [("image", "kind", "")]),
        (
            glance_image("image.member.delete", {"image_id": "image-1", "member_id": "p"}),
            [("image", "id", "image-1")],
        ),
        (keystone_basic("identity.project.updated"), [("project", "id", "project-1")]),
        (keystone_cadf("identity.project.created"), [("project", "id", "project-1")]),
    ],
    ids=lambda value: value["event_type"] if isinstance(value, dict) else "",
)
def test_an_event_asks_for_what_it_may_have_changed(
    content: dict[str, Any], wanted: Wanted
) -> None:
    assert wanted_by(event_of(content)) == wanted


@pytest.mark.parametrize(
    "content",
    [
        legacy_nova("compute.instance.delete.start"),
        legacy_nova("compute.instance.exists", state="deleted"),
        versioned_nova("instance.exists"),
        legacy_nova("scheduler.select_destinations.end"),
        neutron("port.create.start", {"port": {"name": "p"}}),
        neutron("network.exists", {"network": {"id": "n"}}),
        cinder_volume("volume.exists"),
        cinder_volume("volume.usage"),
        glance_image("image.send", {"image_id": "image-1"}),
        keystone_cadf("identity.authenticate"),
        message("aggregate.cache_images.progress", {}),
        message("capacity.pool", {"name_to_id": "x"}),
    ],
    ids=lambda value: value["event_type"],
)
def test_starts_audits_and_meters_ask_for_nothing(content: dict[str, Any]) -> None:
    event = event_of(content)

    assert wanted_by(event) == []
    assert gone_by(event) == []


@pytest.mark.parametrize(
    ("content", "gone", "wanted"),
    [
        (legacy_nova("compute.instance.delete.end"), [("server", "server-1")], []),
        (versioned_nova("instance.delete.end"), [("server", "server-1")], []),
        (neutron("port.delete.end", {"port_id": "port-1"}), [("port", "port-1")], []),
        (
            neutron("port.delete.end", {"port_id": "port-1", "port": port()}),
            [("port", "port-1")],
            [SERVER],
        ),
        (
            neutron("network.delete.end", {"network_id": "n"}),
            [("network", "n")],
            [("subnet", "network_id", "n")],
        ),
        (
            neutron("security_group_rule.delete.end", {"security_group_rule_id": "rule-1"}),
            [("security_group_rule", "rule-1")],
            [("security_group", "kind", "")],
        ),
        (cinder_volume("volume.delete.end"), [("volume", "volume-1")], []),
        (glance_image("image.delete"), [("image", "image-1")], []),
        (keystone_basic("identity.project.deleted"), [("project", "project-1")], []),
        (keystone_cadf("identity.project.deleted"), [("project", "project-1")], []),
        (panko("image.delete", resource_id="image-1"), [("image", "image-1")], []),
    ],
    ids=lambda value: value["event_type"] if isinstance(value, dict) else "",
)
def test_a_delete_says_what_is_gone_and_does_not_ask_for_it(
    content: dict[str, Any], gone: list[tuple[str, str]], wanted: Wanted
) -> None:
    event = event_of(content)

    assert gone_by(event) == gone
    assert wanted_by(event) == wanted


@pytest.mark.parametrize(
    "content",
    [
        legacy_nova("compute.instance.soft_delete.end"),
        legacy_nova("compute.instance.delete.start"),
        legacy_nova("compute.instance.delete.error"),
        legacy_nova("compute.instance.update", state="deleted"),
        neutron("router.interface.delete", INTERFACE),
        neutron("tag.delete.end", {"obj_resource": "networks", "obj_resource_id": "n"}),
        cinder_volume("volume.transfer.delete.end"),
        glance_image("image.member.delete", {"image_id": "image-1"}),
        neutron("gadget.delete.end", {"gadget_id": "g"}),
    ],
    ids=lambda value: value["event_type"],
)
def test_what_only_sounds_like_a_delete_deletes_nothing(content: dict[str, Any]) -> None:
    assert gone_by(event_of(content)) == []


@pytest.mark.parametrize(
    ("legacy", "twin"),
    [
        ("compute.instance.create.end", "instance.create.end"),
        ("compute.instance.power_off.end", "instance.power_off.end"),
        ("compute.instance.delete.end", "instance.delete.end"),
        ("compute.instance.delete.start", "instance.delete.start"),
        ("compute.instance.resize.error", "instance.resize.error"),
        ("compute.instance.exists", "instance.exists"),
        ("compute.instance.volume.detach", "instance.volume_detach.end"),
    ],
)
def test_versioned_twins_mean_the_same(legacy: str, twin: str) -> None:
    old = event_of(legacy_nova(legacy, volume_id="volume-1"))
    new = event_of(versioned_nova(twin, volume_id="volume-1"))

    assert wanted_by(old) == wanted_by(new)
    assert gone_by(old) == gone_by(new)


@pytest.mark.parametrize(
    ("event_type", "wanted"),
    [
        ("security_group.update.end", [("security_group", "kind", "")]),
        (
            "security_group.delete.end",
            [("security_group", "kind", ""), ("security_group_rule", "kind", "")],
        ),
        ("network.floating_ip.allocate", [("floating_ip", "kind", "")]),
        ("keypair.create.end", [("keypair", "kind", "")]),
        ("router.interface.create", [("router", "kind", ""), ("port", "kind", "")]),
        ("backup.create.end", [("backup", "kind", ""), ("volume", "kind", "")]),
    ],
)
def test_an_event_without_an_id_asks_for_the_whole_kind(event_type: str, wanted: Wanted) -> None:
    assert wanted_by(event_of(panko(event_type))) == wanted


def test_a_target_names_its_event_and_says_why() -> None:
    event = event_of(neutron("port.update.end", {"port": port()}))
    first, second = targets(event, builtin())

    assert first.cause == event.id
    assert first.why == "subject of port.update.end"
    assert second.why == "server of port.update.end"


def test_a_complete_payload_gives_its_objects() -> None:
    event = event_of(neutron("port.create.end", {"ports": [port("a"), port("b")]}))

    found = complete_objects(event, builtin())

    assert [(ref.id, item["revision_number"]) for ref, item in found] == [("a", 3), ("b", 3)]


@pytest.mark.parametrize(
    "content",
    [
        neutron("port.update.start", {"id": "port-1", "port": {"name": "x"}}),
        neutron("port.delete.end", {"port_id": "port-1", "port": port()}),
        panko("port.update.end", resource_id="port-1"),
        legacy_nova("compute.instance.update"),
        neutron("port.update.end", {"port": "port-1"}),
        message("port.update.end", None),
    ],
)
def test_other_payloads_give_none(content: dict[str, Any]) -> None:
    assert complete_objects(event_of(content), builtin()) == ()
