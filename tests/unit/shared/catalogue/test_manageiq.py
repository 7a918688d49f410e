"""Whoever comes from ManageIQ finds the same timeline, and everything that it meant to refresh."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.catalogue.load import builtin
from shared.catalogue.targets import deletions, targets
from shared.event import Action, Level, Phase
from shared.target import BY_ID, BY_KIND
from tests.support.notifications import (
    event_of,
    keystone_basic,
    keystone_cadf,
    message,
    neutron,
    panko,
    versioned,
)

MANAGEIQ = {
    "addition": """aggregate.addhost.end aggregate.create.end aggregate.removehost.end
        aggregate.updatemetadata.end aggregate.updateprop.end identity.project.created
        identity.project.deleted identity.project.updated image.create image.update image.upload
        orchestration.stack.create.end orchestration.stack.create.error servergroup.create""",
    "configuration": """compute.instance.rebuild.end compute.instance.resize.end
        orchestration.autoscaling.end orchestration.autoscaling.error
        orchestration.stack.resume.end orchestration.stack.resume.error
        orchestration.stack.suspend.end orchestration.stack.suspend.error
        orchestration.stack.update.end orchestration.stack.update.error servergroup.addmemeber
        servergroup.update""",
    "deletion": """aggregate.delete.end image.delete orchestration.stack.delete.end
        orchestration.stack.delete.error servergroup.delete""",
    "power": """compute.instance.create.end compute.instance.create.error
        compute.instance.delete.end compute.instance.pause.end compute.instance.power_off.end
        compute.instance.power_on.end compute.instance.reboot.end compute.instance.resume
        compute.instance.shelve.end compute.instance.shelve_offload.end
        compute.instance.shutdown.end compute.instance.shutdown.error
        compute.instance.soft_delete.end compute.instance.suspend compute.instance.unpause.end
        compute.instance.unshelve.end""",
    "snapshot": "compute.instance.snapshot.end",
    "network": """floatingip.create.end floatingip.delete.end floatingip.update.end
        network.create.end network.delete.end network.floating_ip.allocate
        network.floating_ip.associate network.floating_ip.deallocate
        network.floating_ip.disassociate network.update.end router.create.end router.delete.end
        router.interface.create router.interface.delete router.update.end
        security_group.create.end security_group.delete.end security_group.update.end
        security_group_rule.create.end security_group_rule.delete.end
        security_group_rule.update.end subnet.create.end subnet.delete.end subnet.update.end""",
    "storage": """backup.create.end backup.create.start backup.restore.end backup.restore.start
        snapshot.create.end snapshot.create.start snapshot.delete.end snapshot.update.end
        volume.create.end volume.delete.end""",
    "general": "hardware.ipmi.metrics.update",
}
"""The 83 types of ManageIQ's provider event_groups (all critical there), by its categories."""

REFRESHED = {
    "aggregate": """aggregate.addhost.end aggregate.create.end aggregate.removehost.end
        aggregate.updatemetadata.end aggregate.updateprop.end aggregate.delete.end""",
    "project": "identity.project.created identity.project.deleted identity.project.updated",
    "image": "image.create image.update image.upload image.delete",
    "stack": """orchestration.stack.create.end orchestration.stack.resume.end
        orchestration.stack.suspend.end orchestration.stack.update.end
        orchestration.stack.delete.end orchestration.stack.pause.end
        orchestration.autoscaling.end""",
    "server_group": """servergroup.create servergroup.update servergroup.delete
        servergroup.addmember""",
    "server": """compute.instance.rebuild.end compute.instance.resize.end
        compute.instance.create.end compute.instance.delete.end compute.instance.pause.end
        compute.instance.power_off.end compute.instance.power_on.end compute.instance.reboot.end
        compute.instance.shelve.end compute.instance.shelve_offload.end
        compute.instance.shutdown.end compute.instance.suspend compute.instance.unpause.end
        compute.instance.unshelve.end compute.instance.snapshot.end compute.instance.reset.end
        compute.instance.resize.confirm.end compute.instance.resume.end
        compute.instance.snapshot.start compute.instance.update compute.instance.volume.attach
        compute.instance.volume.detach""",
    "floating_ip": """floatingip.create.end floatingip.delete.end floatingip.update.end
        network.floating_ip.allocate network.floating_ip.associate
        network.floating_ip.deallocate network.floating_ip.disassociate""",
    "network": "network.create.end network.delete.end network.update.end",
    "router": """router.create.end router.delete.end router.update.end router.interface.create
        router.interface.delete""",
    "security_group": """security_group.create.end security_group.delete.end
        security_group.update.end""",
    "security_group_rule": """security_group_rule.create.end security_group_rule.delete.end
        security_group_rule.update.end""",
    "subnet": "subnet.create.end subnet.delete.end subnet.update.end",
    "port": "port.create.end port.delete.end port.update.end",
    "backup": "backup.create.end backup.create.start backup.restore.end backup.restore.start",
    "snapshot": "snapshot.create.end snapshot.create.start snapshot.delete.end snapshot.update.end",
    "volume": """volume.create.end volume.delete.end volume.attach.end volume.detach.end
        volume.update.end""",
    "keypair": "keypair.create.end keypair.delete.end keypair.update.end",
}
"""The 89 types after which ManageIQ refreshes, by the kind of what it meant to read."""
TYPES = [(kind, name) for kind, types in REFRESHED.items() for name in types.split()]

VERSIONED_NAMES = {
    "compute.instance.suspend": "instance.suspend.end",
    "compute.instance.volume.attach": "instance.volume_attach.end",
    "compute.instance.volume.detach": "instance.volume_detach.end",
    "compute.instance.resize.confirm.end": "instance.resize_confirm.end",
    "aggregate.addhost.end": "aggregate.add_host.end",
    "aggregate.removehost.end": "aggregate.remove_host.end",
    "aggregate.updatemetadata.end": "aggregate.update_metadata.end",
    "aggregate.updateprop.end": "aggregate.update_prop.end",
    "servergroup.addmember": "server_group.add_member",
}
"""Nova's versioned names where they differ by more than the first word."""
VERSIONED_ID = {"server": "uuid", "server_group": "uuid", "aggregate": "id"}
LEGACY_ID = {
    "aggregate": "aggregate_id",
    "image": "id",
    "stack": "stack_identity",
    "server_group": "server_group_id",
    "server": "instance_id",
    "backup": "backup_id",
    "snapshot": "snapshot_id",
    "volume": "volume_id",
}
ADDRESS_ONLY = "network.floating_ip."
"""Of nova-network, which tells the address and no id."""


def contents(kind: str, event_type: str) -> Iterator[dict[str, Any]]:
    """Yield the notification in every form in which it names its object `x-1`."""
    if kind == "keypair":
        yield message(event_type, {"user_id": "user-1", "key_name": "x-1"})
        yield versioned(event_type, {"user_id": "user-1", "name": "x-1"})
        yield panko(event_type, user_id="user-1", key_name="x-1")
        return
    if event_type.startswith("identity."):
        yield keystone_basic(event_type, "x-1")
        yield keystone_cadf(event_type, resource_info="x-1")
    elif event_type.startswith("router.interface."):
        yield neutron(event_type, {"router_interface": {"id": "x-1", "port_id": "port-1"}})
    elif kind in LEGACY_ID:
        yield message(event_type, {LEGACY_ID[kind]: "x-1"})
    else:
        resource = event_type.partition(".")[0]
        yield neutron(event_type, {resource: {"id": "x-1"}})
        if event_type.endswith("create.end"):
            yield neutron(event_type, {f"{resource}s": [{"id": "x-0"}, {"id": "x-1"}]})
        if event_type.endswith("delete.end"):
            yield neutron(event_type, {f"{resource}_id": "x-1"})
    if kind in VERSIONED_ID:
        yield versioned(versioned_name(event_type), {VERSIONED_ID[kind]: "x-1"})
    if kind == "server":
        yield panko(event_type, instance_id="x-1")
    yield panko(event_type, resource_id="x-1")


def versioned_name(event_type: str) -> str:
    renamed = event_type.removeprefix("compute.").replace("servergroup.", "server_group.")
    return VERSIONED_NAMES.get(event_type, renamed)


def consequences(content: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return what is read again or known to be gone, as (kind, by, key)."""
    event = event_of(content)
    read = {(target.kind, target.by, target.key) for target in targets(event, builtin())}
    return read | {(ref.kind, BY_ID, ref.id) for ref in deletions(event, builtin())}


def test_manageiqs_83_timeline_types_are_all_listed() -> None:
    assert sum(len(types.split()) for types in MANAGEIQ.values()) == 83


@pytest.mark.parametrize(
    ("category", "event_type"),
    [(category, name) for category, types in MANAGEIQ.items() for name in types.split()],
)
def test_they_keep_their_categories(category: str, event_type: str) -> None:
    entry = builtin().lookup(event_type)
    quiet = entry.phase is Phase.START or entry.action is Action.NONE
    level = Level.DETAIL if quiet else Level.CRITICAL

    assert (entry.category, entry.level, entry.known) == (category, level, True)


def test_of_manageiqs_types_only_starts_and_measurements_are_details() -> None:
    types = [name for types in MANAGEIQ.values() for name in types.split()]
    details = {name for name in types if builtin().lookup(name).level is Level.DETAIL}

    assert details == {
        "backup.create.start",
        "backup.restore.start",
        "snapshot.create.start",
        "hardware.ipmi.metrics.update",
    }


def test_manageiqs_89_refreshing_types_are_all_listed() -> None:
    assert len({event_type for _, event_type in TYPES}) == len(TYPES) == 89


@pytest.mark.parametrize(("kind", "event_type"), TYPES)
def test_what_manageiq_meant_to_refresh_is_refreshed_in_every_form(
    kind: str, event_type: str
) -> None:
    if event_type.startswith(ADDRESS_ONLY):
        content = message(event_type, {"floating_ip": "192.0.2.1", "instance_id": "x-1"})
        assert (kind, BY_KIND, "") in consequences(content)
        return
    id_ = "user-1/x-1" if kind == "keypair" else "x-1"
    for content in contents(kind, event_type):
        assert (kind, BY_ID, id_) in consequences(content), content


@pytest.mark.parametrize(("kind", "event_type"), TYPES)
def test_without_an_id_the_whole_kind_is_refreshed(kind: str, event_type: str) -> None:
    assert (kind, BY_KIND, "") in consequences(panko(event_type))


@pytest.mark.parametrize("event_type", ["snapshot.create.end", "snapshot.delete.end"])
def test_a_snapshot_refreshes_its_volume(event_type: str) -> None:
    told = {"snapshot_id": "x-1", "volume_id": "volume-1"}

    assert ("volume", BY_ID, "volume-1") in consequences(message(event_type, told))
    assert ("volume", BY_ID, "volume-1") in consequences(panko(event_type, **told))


@pytest.mark.parametrize(
    ("kind", "event_type"), [item for item in TYPES if item[0] in VERSIONED_ID]
)
def test_versioned_twins_go_by_the_same_name(kind: str, event_type: str) -> None:
    twin = builtin().lookup(versioned_name(event_type))

    assert twin.canonical == builtin().lookup(event_type).canonical
    assert twin.kind == kind
