from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.event import Action, Flavour, Level, Phase
from shared.resource import ResourceRef
from tests.support.notifications import (
    NOON,
    PROJECT,
    REQUEST,
    USER,
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
    versioned,
    versioned_nova,
)


def ref(kind: str, id_: str) -> ResourceRef:
    return ResourceRef("prod", kind, id_)


SERVER = ref("server", "server-1")


def test_a_legacy_notification_of_nova_tells_who_what_and_where() -> None:
    event = event_of(legacy_nova("compute.instance.update", old_state="building"))

    assert event.subjects == (SERVER,)
    assert event.related == (ref("image", "image-1"),)
    assert (event.name, event.host, event.zone) == ("web-1", "compute-1", "nova")
    assert (event.project, event.user, event.request_id) == (PROJECT, USER, REQUEST)
    assert (event.old_state, event.state) == ("building", "active")
    assert (event.service, event.flavour) == ("compute", Flavour.LEGACY)
    assert (event.action, event.phase, event.known) == (Action.UPDATE, Phase.END, True)


def test_its_versioned_twin_tells_the_same() -> None:
    update = {"nova_object.data": {"old_state": "building"}, "nova_object.name": "x"}
    legacy = event_of(legacy_nova("compute.instance.update", old_state="building"))
    twin = event_of(versioned_nova("instance.update", state_update=update))

    for field in ("subjects", "related", "name", "project", "user", "host", "zone", "old_state"):
        assert getattr(twin, field) == getattr(legacy, field), field
    assert twin.flavour is Flavour.VERSIONED


@pytest.mark.parametrize(
    ("content", "subject", "project"),
    [
        (neutron("port.update.end", {"port": port()}), ref("port", "port-1"), PROJECT),
        (neutron("port.delete.start", {"port_id": "port-1"}), ref("port", "port-1"), PROJECT),
        (neutron("port.update.start", {"id": "port-1"}), ref("port", "port-1"), PROJECT),
        (cinder_volume("volume.create.end"), ref("volume", "volume-1"), PROJECT),
        (glance_image("image.update"), ref("image", "image-1"), PROJECT),
        (keystone_basic("identity.project.deleted"), ref("project", "project-1"), PROJECT),
        (keystone_cadf("identity.project.deleted"), ref("project", "project-1"), PROJECT),
        (panko("compute.instance.exists", instance_id="server-1"), SERVER, PROJECT),
        (
            message("attach_volume", {"exception": "E", "args": {"instance": {"uuid": "s"}}}),
            ref("server", "s"),
            PROJECT,
        ),
        (
            neutron("tag.create.end", {"obj_resource": "networks", "obj_resource_id": "n"}),
            ref("network", "n"),
            PROJECT,
        ),
        (
            message(
                "orchestration.stack.create.end",
                {"stack_identity": "arn:openstack:heat::p:stacks/name/id-1"},
            ),
            ref("stack", "id-1"),
            PROJECT,
        ),
        (
            versioned("segment.create.end", {"uuid": "s"}, "masakari"),
            ref("ha_segment", "s"),
            PROJECT,
        ),
        (neutron("segment.create.end", {"segment": {"id": "s"}}), ref("segment", "s"), PROJECT),
    ],
)
def test_the_subject_is_found_in_every_form(
    content: dict[str, Any], subject: ResourceRef, project: str
) -> None:
    event = event_of(content)

    assert event.subject == subject
    assert event.project == project


def test_a_bulk_create_is_about_all_its_objects() -> None:
    event = event_of(neutron("port.create.end", {"ports": [port("a"), port("b")]}))

    assert event.subjects == (ref("port", "a"), ref("port", "b"))


@pytest.mark.parametrize(
    ("owner", "related"),
    [
        ("compute:nova", SERVER),
        ("network:router_interface", ref("router", "server-1")),
        ("network:dhcp", None),
        (None, None),
    ],
)
def test_a_ports_device_is_what_its_owner_says(owner: str, related: ResourceRef | None) -> None:
    event = event_of(neutron("port.update.end", {"port": port(device_owner=owner)}))

    assert set(event.related) == {ref("network", "network-1")} | ({related} - {None})


def test_the_devices_of_a_bulk_create_go_with_their_owners() -> None:
    ports = [port("a", device_owner="network:dhcp", device_id="x"), port("b")]
    event = event_of(neutron("port.create.end", {"ports": ports}))

    assert event.related == (ref("network", "network-1"), SERVER)


def test_a_volume_names_its_servers() -> None:
    event = event_of(cinder_volume("volume.attach.end", volume_attachment=[attachment()]))

    assert event.related == (SERVER,)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23 06:40:23.388453", datetime(2026, 11, 23, 6, 40, 23, 388453, UTC)),
        ("2026-11-23 06:40:23", datetime(2026, 11, 23, 6, 40, 23, tzinfo=UTC)),
        ("2026-11-23T06:40:23Z", datetime(2026, 11, 23, 6, 40, 23, tzinfo=UTC)),
        ("2026-11-23T06:40:23.5+02:00", datetime(2026, 11, 23, 4, 40, 23, 500000, UTC)),
        ("2026-11-23T06:40:23.388453+0000", datetime(2026, 11, 23, 6, 40, 23, 388453, UTC)),
        ("2026-11-24 11:59:00", datetime(2026, 11, 24, 11, 59, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_read_in_every_spelling(text: str, time: datetime) -> None:
    assert event_of(message("x.y", {}, timestamp=text)).time == time


@pytest.mark.parametrize(
    "text",
    ["", "soon", "1970-01-01 00:00:00", "2026-11-24 12:00:01", "9999-12-31T23:59:59-14:00", 17],
)
def test_the_time_of_receipt_stands_in_for_an_unusable_timestamp(text: object) -> None:
    received = NOON + timedelta(microseconds=7)
    event = event_of(message("x.y", {}, timestamp=text), received_at=NOON)

    assert event.time == NOON
    assert event_of(message("x.y", {}, timestamp=text), received_at=received).time != NOON


@pytest.mark.parametrize(
    ("content", "level", "phase"),
    [
        (legacy_nova("compute.instance.power_off.end"), Level.CRITICAL, Phase.END),
        (legacy_nova("compute.instance.power_off.start"), Level.DETAIL, Phase.START),
        (legacy_nova("compute.instance.exists"), Level.DETAIL, Phase.END),
        (legacy_nova("compute.instance.rebuild.error"), Level.CRITICAL, Phase.ERROR),
        (glance_image("image.upload", "failed", priority="ERROR"), Level.CRITICAL, Phase.END),
        (
            keystone_cadf("identity.authenticate", outcome="failure"),
            Level.CRITICAL,
            Phase.ERROR,
        ),
        (keystone_cadf("magnum.cluster.create", outcome="pending"), Level.DETAIL, Phase.START),
        (panko("identity.authenticate", outcome="failure"), Level.CRITICAL, Phase.ERROR),
    ],
)
def test_failures_are_critical_and_starts_and_audits_details(
    content: dict[str, Any], level: Level, phase: Phase
) -> None:
    event = event_of(content)

    assert (event.level, event.phase) == (level, phase)


@pytest.mark.parametrize("payload", [None, "text", 7, 1.5, True, [], [1, {"port": {}}], {}])
def test_any_payload_makes_an_event(payload: object) -> None:
    event = event_of(message("port.update.end", payload))

    assert event.payload == payload
    assert event.subjects == ()


def test_an_unknown_type_is_understood_by_convention_and_marked() -> None:
    event = event_of(neutron("gadget.create.end", {"gadget": {"id": "g", "name": "n"}}))

    assert event.subjects == (ref("gadget", "g"),)
    assert (event.known, event.service, event.name) == (False, "network", "n")
    assert (event.action, event.phase) == (Action.CREATE, Phase.END)


def test_an_unknown_publisher_is_an_unknown_service() -> None:
    assert event_of(message("gadget.create.end", {})).service == "unknown"


@pytest.mark.parametrize(
    "content",
    [
        message("x.y", {}, _context_osevents_synthetic=True),
        message("x.y", {"_context_osevents_synthetic": True}),
        panko("x.y", osevents_synthetic="True"),
    ],
)
def test_synthetic_notifications_are_marked(content: dict[str, Any]) -> None:
    assert event_of(content).synthetic


@pytest.mark.parametrize("mark", [False, None, "", "False", 0])
def test_others_are_not(mark: object) -> None:
    assert not event_of(message("x.y", {}, _context_osevents_synthetic=mark)).synthetic


def test_secrets_do_not_reach_the_event() -> None:
    event = event_of(cinder_volume("volume.attach.end", volume_attachment=[attachment()]))

    assert "chap-secret" not in repr(event)
    assert "gAAAAAB-a-live-token" not in repr(event)
