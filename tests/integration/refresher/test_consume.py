"""Events in: tombstones and targets, once, whatever is delivered twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.refresher.consume import Windows
from shared.errors import Permanent
from shared.event import Action, Event, Occasion
from shared.openstack.client import CloudClient
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from tests.support.events import NOON, event
from tests.support.fake_cloud import FakeCloud
from tests.support.refreshing import WINDOW, Setting, port_event


async def test_a_thousand_updates_of_a_port_are_one_target(setting: Setting) -> None:
    await setting.intake.handle([port_event(f"e{number}") for number in range(1000)])
    setting.clock.advance(WINDOW)
    (claimed,) = await setting.worker.claim()
    assert (claimed.target.kind, claimed.target.key) == ("port", "a")
    assert claimed.target.cause == "e999"


async def test_a_target_is_due_one_window_after_its_first_event(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1")])
    setting.clock.advance(WINDOW / 2)
    await setting.intake.handle([port_event("e2")])
    assert await setting.worker.claim() == []
    setting.clock.advance(WINDOW / 2)
    assert len(await setting.worker.claim()) == 1


async def test_a_delete_event_buries_without_a_target(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1", action=Action.DELETE)])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.deleted_at == setting.clock.now()
    assert await setting.waiting() == 0


async def test_an_update_beside_its_delete_asks_for_nothing(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1"), port_event("e2", action=Action.DELETE)])
    assert await setting.waiting() == 0


async def test_events_of_other_clouds_are_counted_and_done_with(setting: Setting) -> None:
    port = ResourceRef("elsewhere", "port", "a")
    await setting.intake.handle([port_event("e1", cloud="elsewhere", subjects=(port,))])
    assert await setting.waiting() == 0
    assert setting.counted("refresher_foreign_events_total", cloud="elsewhere") == 1


async def test_kinds_without_an_api_are_counted_and_not_queued(setting: Setting) -> None:
    trust = ResourceRef("prod", "trust", "t")
    created = event("e1", type="identity.OS-TRUST:trust.created", subjects=(trust,))
    await setting.intake.handle([created])
    assert await setting.waiting() == 0
    assert setting.counted("targets_unreadable_total", cloud="prod", kind="trust") == 1


@pytest.mark.parametrize("poison", [{"subjects": 7}, {"type": None}])
async def test_an_event_that_cannot_be_understood_is_named_and_nothing_is_committed(
    setting: Setting, poison: dict[str, Any]
) -> None:
    with pytest.raises(Permanent, match="event bad"):
        await setting.intake.handle([port_event("good"), port_event("bad", **poison)])
    assert await setting.waiting() == 0


@pytest.mark.parametrize("order", [[0, 1], [1, 0], [0, 1, 0], [1, 1, 0]])
async def test_order_and_repeats_do_not_revive_what_was_deleted(
    setting: Setting, order: Sequence[int]
) -> None:
    events: list[Event] = [port_event("e1"), port_event("e2", action=Action.DELETE)]
    for number in order:
        await setting.intake.handle([events[number]])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.deleted_at is not None


PORT = {"id": "a", "status": "ACTIVE", "binding:host_id": "host-1", "revision_number": 4}


def told_port(id_: str, **different: Any) -> Event:
    """Make Neutron tell the port as an administrator sees it."""
    return port_event(id_, payload={"port": PORT | different}, time=NOON)


async def test_a_complete_port_is_written_without_a_read(setting: Setting) -> None:
    await setting.intake.handle([told_port("e1")])
    row = await setting.row("port", "a")
    assert row is not None
    assert (row.status, row.object, row.deleted_at) == ("ACTIVE", PORT, None)
    assert await setting.waiting() == 0
    (change,) = await setting.inventory.changes(ResourceRef("prod", "port", "a"))
    assert (change.kind, change.cause.id) == ("created", "e1")


async def test_what_a_payload_hides_is_read_once_and_kept(
    cloud: FakeCloud, setting: Setting
) -> None:
    as_member = {"id": "a", "status": "ACTIVE", "revision_number": 5, "name": "new"}
    cloud.answer("/network/v2.0/ports/a", {"port": PORT})
    await setting.intake.handle([port_event("e1", payload={"port": as_member}, time=NOON)])
    assert await setting.work_off() == 1
    renamed = as_member | {"revision_number": 6, "name": "newer"}
    await setting.intake.handle([port_event("e2", payload={"port": renamed}, time=NOON)])
    assert await setting.waiting() == 0
    row = await setting.row("port", "a")
    assert row is not None
    assert row.object == PORT | renamed


async def test_a_late_payload_changes_nothing_of_what_is_newer(setting: Setting) -> None:
    await setting.intake.handle([told_port("e2", revision_number=5, status="DOWN")])
    await setting.intake.handle([told_port("e1")])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.status == "DOWN"


async def test_a_payload_does_not_raise_the_dead(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1", action=Action.DELETE)])
    setting.clock.advance(WINDOW)
    ahead = told_port("e2")._replace(time=NOON + WINDOW * 1000)
    await setting.intake.handle([ahead])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.deleted_at is not None


async def test_a_server_in_the_middle_of_a_task_waits_for_its_end(setting: Setting) -> None:
    busy = {"instance_id": "s", "state": "building", "state_description": "spawning"}
    server = ResourceRef("prod", "server", "s")
    begun = event("e1", subjects=(server,), payload=busy, type="compute.instance.update")
    await setting.intake.handle([begun])
    row = await setting.row("server", "s")
    assert row is not None
    assert row.status == "BUILD"
    setting.clock.advance(WINDOW)
    assert await setting.worker.claim() == []
    ended = begun._replace(id="e2", payload=busy | {"state": "active", "state_description": ""})
    await setting.intake.handle([ended])
    setting.clock.advance(WINDOW)
    (claimed,) = await setting.worker.claim()
    assert claimed.target.cause == "e2"


VOLUMES = "os-extended-volumes:volumes_attached"


def detached(setting: Setting) -> Event:
    """Make Nova say, now, that server `s` lost its volume `v`."""
    return event(
        "e1",
        type="compute.instance.volume.detach",
        canonical="compute.instance.volume.detach",
        time=setting.clock.now(),
        subjects=(ResourceRef("prod", "server", "s"),),
        payload={"instance_id": "s", "volume_id": "v", "state": "active", "state_description": ""},
    )


async def with_volumes(setting: Setting, *volumes: str, at: datetime) -> None:
    """Let a read find server `s` with these volumes."""
    ref = ResourceRef("prod", "server", "s")
    found = {"id": "s", VOLUMES: [{"id": volume} for volume in volumes]}
    known = Snapshot(ref, None, None, "ACTIVE", found, at)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))


async def test_a_server_that_loses_a_volume_is_not_read(setting: Setting) -> None:
    await with_volumes(setting, "v", "w", at=setting.clock.now() - WINDOW)

    await setting.intake.handle([detached(setting), detached(setting)])

    row = await setting.row("server", "s")
    assert row is not None
    assert row.object is not None
    assert row.object[VOLUMES] == [{"id": "w"}]
    assert await setting.waiting() == 0
    assert (await setting.inventory.changes(row.ref))[-1].cause.id == "e1"


async def test_a_server_that_shows_a_volume_that_left_it_long_ago_is_read(
    setting: Setting,
) -> None:
    """The volume came back, or the cloud's clock is behind ours."""
    await with_volumes(setting, "v", at=setting.clock.now() + WINDOW * 2)

    await setting.intake.handle([detached(setting)])

    (waiting,) = await setting.targets.waiting()
    assert (waiting.kind, waiting.count) == ("server", 1)


async def test_what_is_deleted_within_the_create_delay_is_never_read(
    client: CloudClient, setting: Setting
) -> None:
    windows = {"prod": Windows(merge=WINDOW, batch=WINDOW, create=WINDOW * 10)}
    intake = replace(setting.intake, windows=windows)
    await intake.handle([port_event("e1", action=Action.CREATE)])
    await intake.handle([port_event("e2")])
    assert await setting.work_off(WINDOW * 9) == 0
    await intake.handle([port_event("e3", action=Action.DELETE)])
    assert await setting.work_off(WINDOW * 100) == 0
    assert client.calls.total() == 0


async def test_history_asks_for_nothing_and_is_counted(setting: Setting) -> None:
    past = [
        port_event("e1", occasion=Occasion.HISTORY),
        port_event("e2", occasion=Occasion.HISTORY, action=Action.DELETE),
    ]
    await setting.intake.handle(past)
    assert await setting.waiting() == 0
    assert await setting.row("port", "a") is None
    assert setting.counted("refresher_history_events_total", cloud="prod") == 2


async def test_history_is_refreshed_where_the_settings_ask_for_it(setting: Setting) -> None:
    windows = {"prod": Windows(merge=WINDOW, history=True)}
    intake = replace(setting.intake, windows=windows)
    await intake.handle([port_event("e1", occasion=Occasion.HISTORY)])
    assert await setting.waiting() == 1


async def test_what_somebody_made_up_changes_nothing_and_is_counted(setting: Setting) -> None:
    ref = ResourceRef("prod", "port", "a")
    known = Snapshot(ref, None, None, "ACTIVE", {"id": "a"}, setting.clock.now() - WINDOW)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))
    made_up = [
        port_event("e1", synthetic=True),
        port_event("e2", synthetic=True, action=Action.DELETE),
    ]
    await setting.intake.handle(made_up)

    row = await setting.row("port", "a")
    assert row is not None
    assert (row.status, row.deleted_at) == ("ACTIVE", None)
    assert await setting.waiting() == 0
    assert setting.counted("refresher_synthetic_events_total", cloud="prod") == 2


async def test_what_somebody_made_up_is_believed_where_the_settings_say_so(
    setting: Setting,
) -> None:
    windows = {"prod": Windows(merge=WINDOW, synthetic=True)}
    intake = replace(setting.intake, windows=windows)
    await intake.handle([port_event("e1", synthetic=True)])
    assert await setting.waiting() == 1


async def test_a_floating_ip_is_read_when_its_port_is_gone(setting: Setting) -> None:
    freed = {"id": "f", "port_id": "a", "status": "ACTIVE"}
    ref = ResourceRef("prod", "floating_ip", "f")
    known = Snapshot(ref, None, None, "ACTIVE", freed, setting.clock.now() - WINDOW)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))
    await setting.intake.handle([port_event("e1", action=Action.DELETE)])
    setting.clock.advance(WINDOW)
    (claimed,) = await setting.worker.claim()
    assert (claimed.target.kind, claimed.target.key) == ("floating_ip", "f")
    assert claimed.target.cause == "e1"


@pytest.mark.parametrize("batches", [["told", "gone"], ["told+gone"], ["gone", "told"]])
async def test_what_is_told_of_a_group_that_is_gone_does_not_outlive_it(
    setting: Setting, batches: list[str]
) -> None:
    other = {"id": "other", "security_group_id": "g"}
    ref = ResourceRef("prod", "security_group_rule", "other")
    known = Snapshot(ref, None, None, None, other, setting.clock.now() - WINDOW)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))
    told = event(
        "e1",
        type="security_group_rule.create.end",
        service="network",
        action=Action.CREATE,
        time=NOON,
        subjects=(ResourceRef("prod", "security_group_rule", "r"),),
        payload={
            "security_group_rule": {"id": "r", "security_group_id": "g", "revision_number": 0}
        },
    )
    gone = event(
        "e2",
        type="security_group.delete.end",
        action=Action.DELETE,
        subjects=(ResourceRef("prod", "security_group", "g"),),
    )
    by_name = {"told": [told], "gone": [gone], "told+gone": [told, gone]}
    for batch in batches:
        setting.clock.advance(WINDOW)
        await setting.intake.handle(by_name[batch])
    assert await setting.living("security_group_rule") == []
    assert "security_group_rule" not in {one.kind for one in await setting.targets.waiting()}
