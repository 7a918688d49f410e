"""Full passes: what events missed is repaired, what events did meanwhile stays."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from aiohttp import web

from shared.event import Action
from shared.resource import ResourceRef
from shared.snapshot import CauseKind
from shared.store.passes import PassFigures, PassState
from shared.waiting import end
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table, target
from tests.support.refreshing import Setting, port_event
from tests.support.waiting import eventually

PORTS = "/network/v2.0/ports"
IMAGES = "/image/v2/images"
SERVERS = "/compute/v2.1/servers"
SIX_HOURS = timedelta(hours=7)


def serve(cloud: FakeCloud, *ids: str) -> Table:
    """Have Neutron know ports with these ids."""
    table = Table("ports", "port", [{"id": id_} for id_ in ids])
    cloud.answers[PORTS] = table.list
    for key in ids:
        cloud.answers[f"{PORTS}/{key}"] = table.show
    return table


def serve_images(cloud: FakeCloud) -> None:
    """Have Glance know one image."""
    table = Table("images", "image", [{"id": "i", "status": "active"}])

    async def show(_: web.Request) -> web.StreamResponse:
        return web.json_response(table.objects["i"])

    cloud.answers[IMAGES] = table.list
    cloud.answers[f"{IMAGES}/i"] = show


def drift(setting: Setting, what: str, field: str = "") -> float:
    return setting.counted("drift_total", cloud="prod", kind="port", what=what, field=field)


async def test_the_first_pass_fills_the_inventory(cloud: FakeCloud, setting: Setting) -> None:
    serve(cloud, "a", "b")
    setting.only("port")
    await setting.make_passes()
    assert await setting.living("port") == ["a", "b"]
    (done,) = await setting.full_passes.latest()
    assert (done.state, done.asked_by) == (PassState.DONE, "start")
    assert (done.figures.pages, done.figures.seen, done.figures.created) == (1, 2, 2)
    assert drift(setting, "created") == 0
    (change,) = await setting.inventory.changes(ResourceRef("prod", "port", "a"))
    assert (change.cause.kind, change.cause.id) == (CauseKind.FULL_PASS, str(done.id))


async def test_the_next_pass_waits_for_its_interval(cloud: FakeCloud, setting: Setting) -> None:
    serve(cloud, "a")
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(timedelta(hours=5))
    await setting.make_passes()
    assert len(cloud.asked) == 1
    setting.clock.advance(timedelta(hours=2))
    await setting.make_passes()
    assert len(cloud.asked) == 2


async def test_what_a_later_pass_corrects_is_drift(cloud: FakeCloud, setting: Setting) -> None:
    table = serve(cloud, "a", "b")
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    del table.objects["b"]
    table.objects |= {"a": {"id": "a", "status": "DOWN"}, "c": {"id": "c"}}
    await setting.make_passes()
    await setting.work_off()
    assert await setting.living("port") == ["a", "c"]
    counted = (drift(setting, "created"), drift(setting, "changed", "status"))
    assert (*counted, drift(setting, "vanished")) == (1, 1, 1)


async def test_a_row_that_the_list_lacks_is_only_deleted_by_its_404(
    cloud: FakeCloud, setting: Setting
) -> None:
    table = serve(cloud, "a", "b")
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    table.hidden = {"a", "b"}
    await setting.make_passes()
    assert await setting.living("port") == ["a", "b"]
    assert await setting.work_off() == 2
    assert await setting.living("port") == ["a", "b"]


async def test_an_event_during_the_pass_wins(cloud: FakeCloud, setting: Setting) -> None:
    """Port a is deleted, and port n made, after the list was read and before it is written."""
    table = serve(cloud, "a", "b")
    cloud.answer(f"{PORTS}/n", {"port": {"id": "n"}})

    async def overtaken(request: web.Request) -> web.StreamResponse:
        reply = await table.list(request)
        setting.clock.advance(timedelta(milliseconds=10))
        await setting.intake.handle([port_event("e1", "a", Action.DELETE)])
        await setting.ask(target("port", "n"))
        await setting.work_off()
        return reply

    cloud.answers[PORTS] = overtaken
    setting.only("port")
    await setting.make_passes()
    await setting.work_off()
    assert await setting.living("port") == ["b", "n"]


async def test_a_pass_that_fails_says_why_suspects_nobody_and_is_tried_again(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, "a")
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    cloud.answer(PORTS, {"NeutronError": {"message": "policy"}}, status=403)
    await setting.make_passes()
    (failed,) = await setting.full_passes.latest()
    assert failed.state is PassState.FAILED
    assert "403 policy" in (failed.error or "")
    assert await setting.waiting() == 0
    serve(cloud, "a")
    setting.clock.advance(timedelta(minutes=2))
    await setting.make_passes()
    (again,) = await setting.full_passes.latest()
    assert again.state is PassState.DONE


async def test_an_empty_list_that_is_an_error_page_suspects_nobody(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, "a")
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    cloud.answer(PORTS, {"message": "maintenance"})
    await setting.make_passes()
    assert await setting.waiting() == 0


async def test_hidden_images_are_listed_too(cloud: FakeCloud, setting: Setting) -> None:
    async def images(request: web.Request) -> web.StreamResponse:
        id_ = "hidden" if request.query.get("os_hidden") == "true" else "shown"
        return web.json_response({"images": [{"id": id_}]})

    cloud.answers[IMAGES] = images
    setting.only("image")
    await setting.make_passes()
    assert await setting.living("image") == ["hidden", "shown"]


async def test_servers_of_a_cell_that_is_down_are_seen_and_left_as_they_were(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.answer(f"{SERVERS}/detail", {"servers": [{"id": "s", "status": "ACTIVE"}]})
    setting.only("server")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    cloud.answer(f"{SERVERS}/detail", {"servers": [{"id": "s", "status": "UNKNOWN"}]})
    await setting.make_passes()
    row = await setting.row("server", "s")
    assert row is not None
    assert (row.status, row.deleted_at) == ("ACTIVE", None)
    assert await setting.waiting() == 0


async def test_kinds_of_services_that_the_cloud_lacks_are_not_asked_for(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.services.discard("network")
    setting.only("port")
    await setting.make_passes()
    assert await setting.full_passes.latest() == []


class Paged:
    """Neutron's list in pages of two, as a real one links them; a marker must exist."""

    def __init__(self, *ids: str) -> None:
        self.ids = sorted(ids)
        self.asked_after: list[str | None] = []
        self.before_page: Callable[[str | None], None] = lambda _: None
        self.hangs_after: str | None = None
        self.fails_after: str | None = None
        self.goes_on = asyncio.Event()

    async def list(self, request: web.Request) -> web.StreamResponse:
        marker = request.query.get("marker")
        self.asked_after.append(marker)
        self.before_page(marker)
        if marker is not None and marker == self.hangs_after:
            await self.goes_on.wait()
        if marker is not None and marker == self.fails_after:
            return web.json_response({}, status=500)
        if marker is not None and marker not in self.ids:
            error = {"NeutronError": {"message": f"Port {marker} could not be found."}}
            return web.json_response(error, status=404)
        rest = [id_ for id_ in self.ids if marker is None or id_ > marker]
        reply: dict[str, object] = {"ports": [{"id": id_} for id_ in rest[:2]]}
        if rest[2:]:
            following = request.url.update_query(marker=rest[1])
            reply["ports_links"] = [{"rel": "next", "href": str(following)}]
        return web.json_response(reply)


async def test_the_next_copy_goes_on_after_the_last_page_that_was_written(
    cloud: FakeCloud, setting: Setting
) -> None:
    paged = Paged(*"abcdef")
    cloud.answers[PORTS] = paged.list
    setting.only("port")
    paged.hangs_after = "d"
    await setting.pass_requests.ask_for_due()
    making = asyncio.create_task(setting.passes.make_next())

    async def two_pages_are_written() -> bool:
        (latest,) = await setting.full_passes.latest()
        return latest.figures.pages == 2

    await eventually(two_pages_are_written, what="two pages are written")
    await end(making)
    began = setting.clock.now()
    paged.goes_on.set()
    paged.asked_after.clear()
    setting.clock.advance(timedelta(minutes=1))
    await setting.make_passes()

    assert paged.asked_after == ["d"]
    assert await setting.living("port") == [*"abcdef"]
    (done,) = await setting.full_passes.latest()
    assert (done.state, done.figures.seen, done.figures.created) == (PassState.DONE, 6, 6)
    assert done.place is not None
    assert done.place.began_at == began
    assert await setting.waiting() == 0


async def test_a_pass_that_failed_in_the_middle_goes_on_there(
    cloud: FakeCloud, setting: Setting
) -> None:
    paged = Paged(*"abcdef")
    cloud.answers[PORTS] = paged.list
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    paged.ids = [*"abcdefgh"]
    paged.ids.remove("a")
    cloud.answer(f"{PORTS}/a", {"NeutronError": {"message": "Port a not found"}}, status=404)
    paged.fails_after = "e"
    await setting.make_passes()
    (failed,) = await setting.full_passes.latest()
    assert (failed.state, failed.figures.seen) == (PassState.FAILED, 4)
    assert await setting.waiting() == 0, "a list that was not read to its end suspects nobody"

    paged.fails_after = None
    paged.asked_after.clear()
    setting.clock.advance(timedelta(minutes=2))
    await setting.make_passes()

    assert paged.asked_after == ["e", "g"]
    (done,) = await setting.full_passes.latest()
    assert (done.id, done.state, done.figures.seen) == (failed.id, PassState.DONE, 7)
    assert (done.figures.created, done.figures.vanished) == (2, 1)
    assert drift(setting, "created") == 2
    await setting.work_off()
    assert await setting.living("port") == [*"bcdefgh"]


async def test_what_a_failed_pass_corrected_is_counted_once(
    cloud: FakeCloud, setting: Setting
) -> None:
    paged = Paged(*"cdef")
    cloud.answers[PORTS] = paged.list
    setting.only("port")
    await setting.make_passes()
    setting.clock.advance(SIX_HOURS)
    paged.ids = [*"abcdef"]
    paged.fails_after = "b"
    await setting.make_passes()
    assert drift(setting, "created") == 2
    paged.fails_after = None
    setting.clock.advance(timedelta(minutes=2))
    await setting.make_passes()
    assert drift(setting, "created") == 2


async def test_a_marker_that_was_deleted_is_stepped_over(
    cloud: FakeCloud, setting: Setting
) -> None:
    """The last port of a page is deleted before the next page is asked for."""
    paged = Paged(*"abcdef")
    cloud.answers[PORTS] = paged.list

    def delete_it(marker: str | None) -> None:
        if marker == "d" and "d" in paged.ids:
            paged.ids.remove("d")

    paged.before_page = delete_it
    setting.only("port")
    await setting.make_passes()

    assert paged.asked_after == [None, "b", "d", "c"]
    assert {*"abcef"} <= set(await setting.living("port"))
    (done,) = await setting.full_passes.latest()
    assert done.state is PassState.DONE


async def test_a_list_none_of_whose_markers_is_left_begins_anew(
    cloud: FakeCloud, setting: Setting
) -> None:
    paged = Paged(*"abcdef")
    cloud.answers[PORTS] = paged.list

    def delete_the_page(marker: str | None) -> None:
        if marker == "d":
            paged.ids = ["a", "b", "e", "f"]

    paged.before_page = delete_the_page
    setting.only("port")
    await setting.make_passes()

    assert paged.asked_after == [None, "b", "d", "c", None, "b"]
    (done,) = await setting.full_passes.latest()
    assert (done.state, done.figures.pages, done.figures.seen) == (PassState.DONE, 2, 4)


async def test_a_list_that_is_refused_again_and_again_fails(
    cloud: FakeCloud, setting: Setting
) -> None:
    paged = Paged(*"abcdef")

    async def no_second_page(request: web.Request) -> web.StreamResponse:
        if "marker" in request.query:
            return web.json_response({"message": "gone"}, status=404)
        return await paged.list(request)

    cloud.answers[PORTS] = no_second_page
    setting.only("port")
    await setting.make_passes()

    (failed,) = await setting.full_passes.latest()
    assert failed.state is PassState.FAILED
    assert await setting.waiting() == 0


async def test_a_kind_asked_for_that_the_cloud_lacks_is_absent_and_comes_with_its_service(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.services.discard("network")
    setting.only("port")
    now = setting.clock.now()
    await setting.full_passes.ask("prod", "port", pass_id=uuid4(), asked_by="request", now=now)
    await setting.make_passes()
    (absent,) = await setting.full_passes.latest()
    assert absent.state is PassState.ABSENT
    assert absent.error == "cloud prod has no API for port"


async def test_a_pass_taken_over_by_another_copy_is_given_up(
    cloud: FakeCloud, setting: Setting
) -> None:
    table = serve(cloud, "a")
    setting.only("port")

    async def slow(request: web.Request) -> web.StreamResponse:
        setting.clock.advance(timedelta(minutes=3))
        taken = await setting.full_passes.claim(
            cloud="prod", worker="copy-2", now=setting.clock.now(), lease=timedelta(minutes=2)
        )
        assert taken is not None
        return await table.list(request)

    cloud.answers[PORTS] = slow
    await setting.pass_requests.ask_for_due()
    await setting.passes.make_next()
    (running,) = await setting.full_passes.latest()
    assert (running.state, running.claimed_by) == (PassState.RUNNING, "copy-2")


async def test_a_kind_that_comes_back_is_listed_since_its_targets_were_let_go(
    cloud: FakeCloud, setting: Setting
) -> None:
    """The catalogue lacked its service when a copy started, a while after the last pass."""
    serve(cloud, "a")
    serve_images(cloud)
    now = setting.clock.now()
    setting.only("port", "image")
    for kind in ("port", "image"):
        await setting.full_passes.ask("prod", kind, pass_id=uuid4(), asked_by="start", now=now)
        done = await setting.full_passes.claim(
            cloud="prod", worker="copy-0", now=now, lease=timedelta(seconds=1)
        )
        assert done is not None
        await setting.full_passes.finish(done, PassFigures(), now=now)
    cloud.services.discard("network")
    await setting.ask(target("port", "a"))
    await setting.work_off()
    await setting.make_passes()
    assert (await setting.living("port"), await setting.waiting()) == ([], 0)

    cloud.services.add("network")
    cloud.valid_tokens.clear()
    await setting.ask(target("image", "i"))
    await setting.work_off()
    await setting.make_passes()
    assert await setting.living("port") == ["a"]
    passes = {one.kind: one.asked_by for one in await setting.full_passes.latest()}
    assert passes == {"port": "return", "image": "start"}


async def test_a_service_that_tells_nothing_of_itself_holds_up_no_other(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.broken_discovery.add("compute")
    serve(cloud, "a")
    setting.only("server", "port")
    await setting.make_passes()
    assert await setting.living("port") == ["a"]
