"""Attachments: told by Cinder's events, verified by the volume, hardly ever read."""

from datetime import timedelta
from typing import Any

import pytest

from services.refresher.resources.block_storage import ATTACHMENT
from shared.event import Action, Event
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind
from tests.support.events import event
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table
from tests.support.refreshing import WINDOW, Setting

VOLUMES, ATTACHMENTS = "/volume/v3/volumes", "/volume/v3/attachments"
VOLUME = ResourceRef("prod", "volume", "v")


def row(id_: str, status: str = "attached") -> dict[str, Any]:
    """Make a row of Cinder's table of attachments."""
    return {
        "id": id_,
        "volume_id": "v",
        "instance_uuid": "s",
        "attach_status": status,
        "attach_mode": "rw",
        "attach_time": "2026-01-15T10:00:00.000000",
        "detach_time": None,
    }


def said(
    setting: Setting,
    id_: str,
    action: str,
    *rows: dict[str, Any],
    ahead: timedelta = timedelta(0),
) -> Event:
    """Make Cinder, its clock `ahead`, say that the volume was attached or detached, and to what."""
    return event(
        id_,
        type=f"volume.{action}.end",
        service="block-storage",
        action=Action.UPDATE,
        subjects=(VOLUME,),
        time=setting.clock.now() + ahead,
        payload={"volume_id": "v", "volume_attachment": list(rows)},
    )


@pytest.fixture
def volume(cloud: FakeCloud) -> dict[str, Any]:
    """Serve one volume, and return it; attachments are a test's own."""
    table = Table("volumes", "volume", [{"id": "v", "status": "available", "attachments": []}])
    cloud.answers[f"{VOLUMES}/v"] = table.show
    return table.objects["v"]


def asked(cloud: FakeCloud) -> list[str]:
    return [path for path, _ in cloud.asked if path.startswith(ATTACHMENTS)]


async def later(setting: Setting) -> None:
    """Let everything be read that is asked for."""
    for _ in range(3):
        await setting.work_off()


async def test_attaching_and_detaching_cost_no_read_of_attachments(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    volume["attachments"] = [{"attachment_id": "a"}]
    await setting.intake.handle([said(setting, "e1", "attach", row("a"))])
    known = await setting.row("attachment", "a")
    assert known is not None
    assert (known.status, known.deleted_at) == ("attached", None)
    assert known.object == {
        "id": "a",
        "volume_id": "v",
        "instance": "s",
        "status": "attached",
        "attach_mode": "rw",
        "attached_at": "2026-01-15T10:00:00.000000",
        "detached_at": "",
    }
    await later(setting)
    volume["attachments"] = []
    await setting.intake.handle([said(setting, "e2", "detach")])
    assert await setting.living("attachment") == []
    await later(setting)
    assert asked(cloud) == []
    assert await setting.waiting() == 0


async def test_of_two_attachments_only_the_detached_one_goes(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    volume["attachments"] = [{"attachment_id": "b"}]
    await setting.intake.handle([said(setting, "e1", "attach", row("a"), row("b"))])
    setting.clock.advance(WINDOW)
    await setting.intake.handle([said(setting, "e2", "detach", row("b"))])
    await later(setting)
    assert await setting.living("attachment") == ["b"]
    assert asked(cloud) == []


async def test_news_of_an_attachment_after_its_end_is_found_out(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    """The volume does not show it, so it is asked for, and its 404 buries it."""
    late = said(setting, "e1", "attach", row("a"))
    setting.clock.advance(WINDOW)
    await setting.intake.handle([said(setting, "e2", "detach")])
    await setting.intake.handle([late])
    cloud.answer(f"{ATTACHMENTS}/a", {"itemNotFound": {"message": "no a"}}, status=404)
    await later(setting)
    assert await setting.living("attachment") == []
    assert asked(cloud) == [f"{ATTACHMENTS}/a"]
    assert volume["attachments"] == []


async def test_news_of_an_attachment_after_the_end_of_its_volume_is_buried(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    """Nothing else would: the volume that is gone shows nothing."""
    late = said(setting, "e1", "attach", row("a"))
    setting.clock.advance(timedelta(seconds=1))
    await setting.intake.handle([said(setting, "e2", "detach")])
    cloud.answer(f"{VOLUMES}/v", {"itemNotFound": {"message": "Volume v not found."}}, status=404)
    gone = event(
        "e3",
        type="volume.delete.end",
        service="block-storage",
        action=Action.DELETE,
        subjects=(VOLUME,),
        time=setting.clock.now(),
        payload={"volume_id": "v"},
    )
    await setting.intake.handle([gone])
    await setting.intake.handle([late])
    await later(setting)
    known = await setting.row("attachment", "a")
    assert known is not None
    assert known.deleted_at is not None
    assert asked(cloud) == []
    assert volume


async def test_what_was_read_after_its_end_by_a_clock_behind_goes_with_the_volume(
    cloud: FakeCloud, setting: Setting
) -> None:
    detach = said(setting, "e1", "detach")
    setting.clock.advance(WINDOW)
    seen = ATTACHMENT.snapshot(
        "prod", {"id": "a", "volume_id": "v"}, observed_at=setting.clock.now()
    )
    await setting.inventory.write([seen], Cause(CauseKind.EVENT, "e0"))
    setting.clock.advance(WINDOW)
    await setting.intake.handle([detach])
    assert await setting.living("attachment") == ["a"]
    gone = event("e2", type="volume.delete.end", action=Action.DELETE, subjects=(VOLUME,))
    await setting.intake.handle([gone])
    cloud.answer(f"{ATTACHMENTS}/a", {"itemNotFound": {"message": "no a"}}, status=404)
    await later(setting)
    assert await setting.living("attachment") == []


async def test_a_late_detach_spares_what_was_attached_since(
    setting: Setting, volume: dict[str, Any]
) -> None:
    volume["attachments"] = [{"attachment_id": "b"}]
    late = said(setting, "e1", "detach")
    setting.clock.advance(WINDOW)
    await setting.intake.handle([said(setting, "e2", "attach", row("b"))])
    await setting.intake.handle([late])
    await later(setting)
    assert await setting.living("attachment") == ["b"]


async def test_what_is_not_yet_gone_when_its_end_is_told_is_found_out(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    """Cinder can say `detach.end` a moment before it drops the row."""
    await setting.intake.handle([said(setting, "e1", "attach", row("a"))])
    setting.clock.advance(WINDOW)
    await setting.intake.handle([said(setting, "e2", "detach", row("a", "detaching"))])
    cloud.answer(f"{ATTACHMENTS}/a", {"itemNotFound": {"message": "no a"}}, status=404)
    await later(setting)
    assert await setting.living("attachment") == []
    assert volume["attachments"] == []


async def test_a_late_detach_by_a_clock_ahead_spares_what_was_attached_since(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    """It seems to have come after: the volume alone would not bring back what it shows."""
    volume["attachments"] = [{"attachment_id": "b"}]
    shown = {"id": "b", "volume_id": "v", "status": "attached"}
    cloud.answer(f"{ATTACHMENTS}/detail", {"attachments": [shown]})
    late = said(setting, "e1", "detach", ahead=timedelta(seconds=30))
    setting.clock.advance(WINDOW)
    await setting.intake.handle([said(setting, "e2", "attach", row("b"))])
    setting.clock.advance(WINDOW)
    await setting.intake.handle([late])
    await later(setting)
    assert await setting.living("attachment") == ["b"]


@pytest.mark.parametrize(
    "told",
    [
        {"volume_attachment": [row("a", "attaching")]},
        {"volume_attachment": [{"attachment_id": "a", "server_id": "s"}]},
        {"volume_attachment": []},
        {"volume_attachment": None},
        {},
    ],
)
async def test_what_the_payload_does_not_tell_for_good_is_read(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any], told: dict[str, Any]
) -> None:
    volume["attachments"] = [{"attachment_id": "a"}]
    shown = {"id": "a", "volume_id": "v", "status": "attached"}
    cloud.answer(f"{ATTACHMENTS}/detail", {"attachments": [shown]})
    one = said(setting, "e1", "attach")
    await setting.intake.handle([event("e2", **_fields(one), payload={"volume_id": "v"} | told)])
    await later(setting)
    assert await setting.living("attachment") == ["a"]
    assert asked(cloud) == [f"{ATTACHMENTS}/detail"]


async def test_what_is_old_is_read(
    cloud: FakeCloud, setting: Setting, volume: dict[str, Any]
) -> None:
    cloud.answer(f"{ATTACHMENTS}/detail", {"attachments": []})
    old = said(setting, "e1", "attach", row("a"))
    setting.clock.advance(timedelta(hours=1))
    await setting.intake.handle([old])
    await later(setting)
    assert await setting.living("attachment") == []
    assert asked(cloud) == [f"{ATTACHMENTS}/detail"]
    assert volume["id"] == "v"


def _fields(one: Event) -> dict[str, Any]:
    return {
        "type": one.type,
        "service": one.service,
        "action": one.action,
        "subjects": one.subjects,
        "time": one.time,
    }
