"""A 404 deletes only where the credentials would be shown the object if it lived."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from services.refresher.resources import ALL
from shared.openstack.cloud import CloudConfig
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import FakeCloud, client_of
from tests.support.refresh import Table, target
from tests.support.refreshing import WINDOW, Setting

VOLUMES = "/volume/v3/volumes"
OURS, THEIRS = "p1", "another-project"


@pytest.fixture(params=[["member"], []])
async def as_member(
    request: pytest.FixtureRequest, cloud: FakeCloud, config: CloudConfig, database: Database
) -> AsyncIterator[Setting]:
    """A refresher whose credentials lost the role that they had."""
    cloud.roles = request.param
    async with client_of(config) as client:
        setting = Setting(database, client, FixedClock())
        await have_volumes(setting)
        show_no_volumes(cloud)
        yield setting


async def have_volumes(setting: Setting) -> None:
    """Let a read have found a volume of ours and one of another project, a while ago."""
    for id_, project in (("ours", OURS), ("theirs", THEIRS)):
        item = {"id": id_, "status": "available", "os-vol-tenant-attr:tenant_id": project}
        ref = ResourceRef("prod", "volume", id_)
        at = setting.clock.now() - timedelta(hours=1)
        known = Snapshot(ref, None, project, "available", item, at)
        await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))


def show_no_volumes(cloud: FakeCloud) -> None:
    """Have Cinder answer a member as if there were no volumes."""
    cloud.answers[f"{VOLUMES}/detail"] = Table("volumes", "volume", ()).list
    for id_ in ("ours", "theirs"):
        message = f"Volume {id_} could not be found."
        body = {"itemNotFound": {"code": 404, "message": message}}
        cloud.answer(f"{VOLUMES}/{id_}", body, status=404)


async def read_both(setting: Setting) -> None:
    await setting.ask(target("volume", "ours"), target("volume", "theirs"))
    await setting.work_off()


async def test_what_another_project_has_is_not_gone_because_we_are_not_shown_it(
    as_member: Setting,
) -> None:
    await read_both(as_member)

    assert await as_member.living("volume") == ["theirs"]
    assert await as_member.waiting() == 0


async def test_a_full_pass_does_not_ask_for_what_we_are_not_shown(as_member: Setting) -> None:
    as_member.only("volume")
    await as_member.make_passes()

    suspects = [item.count for item in await as_member.targets.waiting()]
    assert suspects == [1], "ours alone"
    await as_member.work_off(WINDOW)
    assert await as_member.living("volume") == ["theirs"]
    assert as_member.worker.reader.objects.narrow == {"volume"}


async def test_a_list_that_is_shown_widely_goes_on_being_asked_for_so(
    cloud: FakeCloud, as_member: Setting
) -> None:
    """A policy can show all projects to a role that is not called admin."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        asked.append(request.query.get("everywhere", ""))
        return web.json_response({"volumes": []})

    cloud.answers[f"{VOLUMES}/detail"] = note
    widely = replace(ALL["volume"], wider=(("everywhere", "1"),))
    for _ in range(2):
        async for _page in as_member.worker.reader.objects.pages(widely, ()):
            pass

    assert asked == ["1", "1"]


async def test_an_administrator_is_believed(cloud: FakeCloud, setting: Setting) -> None:
    await have_volumes(setting)
    show_no_volumes(cloud)

    await read_both(setting)

    assert await setting.living("volume") == []


async def test_so_is_who_is_said_to_be_shown_all_projects(
    cloud: FakeCloud, config: CloudConfig, database: Database
) -> None:
    cloud.roles = ["monitor"]
    async with client_of(config) as client:
        setting = Setting(database, client, FixedClock(), sees_all_projects=True)
        await have_volumes(setting)
        show_no_volumes(cloud)

        await read_both(setting)

        assert await setting.living("volume") == []
