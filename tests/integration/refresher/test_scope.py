"""A 404 deletes only where the credentials would be shown the object if it lived."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from services.refresher.resources import ALL
from services.refresher.scope import ASK_AGAIN
from shared.errors import CloudRefused
from shared.event import Event
from shared.openstack.cloud import CloudConfig
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from tests.support.clocks import FixedClock
from tests.support.events import event
from tests.support.fake_cloud import FakeCloud, client_of
from tests.support.refresh import Table, target
from tests.support.refreshing import WINDOW, Setting

VOLUMES = "/volume/v3/volumes"
SERVERS = "/compute/v2.1/servers"
TYPES = "/volume/v3/types"
REFUSED = {"forbidden": {"code": 403, "message": "Policy doesn't allow get_all_tenants."}}
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


class Servers:
    """Nova's servers: one of ours and one of theirs, shown `widely` or not."""

    def __init__(self, cloud: FakeCloud, *, widely: bool = False) -> None:
        self.widely = widely
        self.asked: list[str] = []
        cloud.answers[f"{SERVERS}/detail"] = self.list
        cloud.answer(f"{SERVERS}/ours", {"server": self.server("ours", OURS)})
        cloud.answer(
            f"{SERVERS}/theirs", {"itemNotFound": {"message": "Instance theirs"}}, status=404
        )

    @staticmethod
    def server(id_: str, project: str) -> dict[str, str]:
        return {"id": id_, "status": "ACTIVE", "tenant_id": project}

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Answer as Nova does."""
        everywhere = "all_tenants" in request.query
        self.asked.append("widely" if everywhere else "ours")
        if everywhere and not self.widely:
            return web.json_response(REFUSED, status=403)
        found = [self.server("ours", OURS)]
        found += [self.server("theirs", THEIRS)] * everywhere
        return web.json_response({"servers": found})


async def listed(setting: Setting, kind: str) -> list[str]:
    """Return the ids that a full pass sees."""
    resource, objects = ALL[kind], setting.worker.reader.objects
    pages = objects.pages(resource, resource.list_params)
    return [str(item["id"]) async for page in pages for item in page.items]


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
    assert as_member.worker.reader.objects.scope.narrow == {"volume"}


async def test_a_list_that_is_shown_widely_goes_on_being_asked_for_so(
    cloud: FakeCloud, as_member: Setting
) -> None:
    """A policy can show all projects to a role that is not called admin."""
    asked: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        asked.append(request.query.get("everywhere", ""))
        return web.json_response({"volumes": []})

    cloud.answers[f"{VOLUMES}/detail"] = note
    widely = replace(ALL["volume"], wider=(("everywhere", "1"),), wider_ignored=False)
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


async def test_who_may_not_ask_for_all_projects_is_shown_their_own(
    cloud: FakeCloud, as_member: Setting
) -> None:
    servers, objects = Servers(cloud), as_member.worker.reader.objects

    assert [await listed(as_member, "server") for _ in range(2)] == [["ours"], ["ours"]]

    assert servers.asked == ["widely", "ours", "ours"]
    assert (objects.scope.narrow, objects.permits.denials()) == ({"server"}, {})


async def test_all_projects_are_asked_for_again_after_a_while(
    cloud: FakeCloud, as_member: Setting
) -> None:
    servers, scope = Servers(cloud), as_member.worker.reader.objects.scope
    await listed(as_member, "server")
    servers.widely = True

    as_member.clock.advance(ASK_AGAIN)

    assert await listed(as_member, "server") == ["ours", "theirs"]
    assert (servers.asked[-1], scope.narrow) == ("widely", set())


async def test_an_administrator_who_may_not_ask_for_all_projects_is_not_believed(
    cloud: FakeCloud, setting: Setting
) -> None:
    """A policy can make administrators of their project alone."""
    servers = Servers(cloud)
    at = setting.clock.now() - timedelta(hours=1)
    item = Servers.server("theirs", THEIRS)
    known = Snapshot(ResourceRef("prod", "server", "theirs"), None, THEIRS, "ACTIVE", item, at)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))

    for _ in range(2):
        await setting.ask(target("server", "theirs"))
        await setting.work_off()

    assert await setting.living("server") == ["theirs"]
    assert await setting.waiting() == 0
    assert servers.asked == ["widely", "ours"], "once"


async def test_a_role_that_comes_back_shows_all_projects_again(
    cloud: FakeCloud, as_member: Setting
) -> None:
    scope = as_member.worker.reader.objects.scope
    await listed(as_member, "volume")
    assert scope.narrow == {"volume"}

    cloud.roles = ["admin"]
    cloud.valid_tokens.clear()
    for _ in range(2):
        await listed(as_member, "volume")

    assert scope.narrow == set()


async def test_types_are_listed_where_cinder_refuses_its_members_the_private_ones(
    cloud: FakeCloud, as_member: Setting
) -> None:
    message = "Invalid filters is_public are found in query options."

    async def answer(request: web.Request) -> web.StreamResponse:
        if "is_public" in request.query:
            return web.json_response({"badRequest": {"message": message}}, status=400)
        return web.json_response({"volume_types": [{"id": "public"}]})

    cloud.answers[TYPES] = answer

    assert await listed(as_member, "volume_type") == ["public"]
    assert as_member.worker.reader.objects.scope.narrow == set(), "types are nobody's"


async def test_a_marker_that_is_gone_is_no_refusal_to_show_all(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.answer(TYPES, {"badRequest": {"message": "marker t1 not found"}}, status=400)

    with pytest.raises(CloudRefused, match="marker"):
        await listed(setting, "volume_type")

    assert [dict(query).get("is_public") for _, query in cloud.asked] == ["None"]


@pytest.mark.parametrize("shown", [True, False])
async def test_what_is_below_another_project_s_stack_is_only_gone_where_the_stack_is_shown(
    cloud: FakeCloud, setting: Setting, *, shown: bool
) -> None:
    """Heat answers for a stack of another project as for one that does not exist."""
    cloud.services.add("orchestration")
    cloud.roles = ["member"]
    stacks = "/orchestration/v1/stacks"
    stack = {"id": "k", "stack_name": "n", "stack_status": "CREATE_COMPLETE"}
    cloud.answer(stacks, {"stacks": [stack] if shown else []})
    cloud.answer(f"{stacks}/n/k/resources", {"resources": []})
    cloud.answer(
        f"{stacks}/k", {"error": {"message": "The Stack (k) could not be found."}}, status=404
    )
    ref = ResourceRef("prod", "stack_resource", "k/r")
    item = {"stack_id": "k", "resource_name": "r"}
    at = setting.clock.now() - timedelta(hours=1)
    await setting.inventory.write(
        [Snapshot(ref, "r", None, None, item, at)], Cause(CauseKind.EVENT, "e0")
    )

    await setting.ask(target("stack_resource", "k/r"))
    await setting.work_off()

    assert await setting.living("stack_resource") == ([] if shown else ["k/r"])
    assert await setting.waiting() == 0


def volume_event(
    id_: str, project: str, type_: str = "volume.update.end", cause: str = "e1"
) -> Event:
    """Make Cinder tell of a volume, and whose it is."""
    volume = ResourceRef("prod", "volume", id_)
    payload = {"volume_id": id_, "tenant_id": project}
    fields = {"type": type_, "service": "block-storage", "subjects": (volume,)}
    return event(cause, **fields, payload=payload)


async def asked_for(setting: Setting, *events: Event) -> int:
    """Return how many targets wait after `events` came in."""
    await setting.intake.handle(events)
    return await setting.waiting()


async def test_what_an_event_says_is_another_project_s_is_not_read_nor_deleted(
    as_member: Setting,
) -> None:
    await listed(as_member, "volume")

    theirs, ours = volume_event("theirs", THEIRS), volume_event("ours", OURS, cause="e2")

    assert await asked_for(as_member, theirs) == 0
    assert await as_member.living("volume") == ["ours", "theirs"]
    named = {"cloud": "prod", "kind": "volume"}
    assert as_member.counted("targets_of_other_projects_total", **named) == 1
    assert await asked_for(as_member, ours) == 1


async def test_it_is_read_until_a_list_has_told_what_we_are_shown(as_member: Setting) -> None:
    assert await asked_for(as_member, volume_event("theirs", THEIRS)) == 1


async def test_it_is_read_where_a_list_has_shown_another_project_s(
    cloud: FakeCloud, as_member: Setting
) -> None:
    """A policy can show all projects to a role that is not called admin."""
    shown = {"id": "v", "os-vol-tenant-attr:tenant_id": THEIRS}
    cloud.answer(f"{VOLUMES}/detail", {"volumes": [shown]})
    await listed(as_member, "volume")

    assert await asked_for(as_member, volume_event("theirs", THEIRS)) == 1


async def test_an_administrator_reads_it(cloud: FakeCloud, setting: Setting) -> None:
    show_no_volumes(cloud)
    await listed(setting, "volume")

    assert await asked_for(setting, volume_event("theirs", THEIRS)) == 1


async def test_a_volume_that_changes_hands_is_read_whosever_the_event_says_it_is(
    as_member: Setting,
) -> None:
    await listed(as_member, "volume")

    accepted = volume_event("theirs", THEIRS, "volume.transfer.accept.end")

    assert await asked_for(as_member, accepted) == 1


@pytest.mark.parametrize(("project", "servers"), [(OURS, 1), (THEIRS, 0)])
async def test_of_a_server_that_an_event_only_names_the_inventory_says_whose_it_is(
    cloud: FakeCloud, as_member: Setting, project: str, servers: int
) -> None:
    Servers(cloud)
    await listed(as_member, "server")
    item, at = Servers.server("s", project), as_member.clock.now() - timedelta(hours=1)
    known = Snapshot(ResourceRef("prod", "server", "s"), None, project, "ACTIVE", item, at)
    await as_member.inventory.write([known], Cause(CauseKind.EVENT, "e0"))

    attached = volume_event("v", OURS, "volume.attach.end")

    await asked_for(as_member, attached._replace(related=(known.ref,)))

    waiting = {item.kind: item.count for item in await as_member.targets.waiting()}
    assert (waiting["volume"], waiting.get("server", 0)) == (1, servers)
