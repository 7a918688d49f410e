"""Cinder's and Glance's traps."""

from datetime import timedelta

from services.simulator.app import Simulator
from services.simulator.operations.images import make_image
from tests.integration.simulator.conftest import Caller
from tests.support.clocks import FixedClock
from tests.support.events import NOON

ALL = ("all_tenants", "1")


def volumes(caller: Caller) -> str:
    return f"/volume/v3/{caller.project_id}/volumes/detail"


async def ids(caller: Caller, *params: tuple[str, str], version: str = "volume 3.70") -> list[str]:
    reply = await caller.get(volumes(caller), params, version=version)
    assert reply.status == 200, reply.body
    return [volume["id"] for volume in reply.body["volumes"]]


async def test_a_python_list_of_ids_gets_them_all(admin: Caller, simulator: Simulator) -> None:
    first, second, *_ = simulator.truth("volume")
    assert set(await ids(admin, ALL, ("id", f"['{first}','{second}']"))) == {first, second}


async def test_a_comma_gets_nothing_and_a_repetition_the_last(
    admin: Caller, simulator: Simulator
) -> None:
    first, second, *_ = simulator.truth("volume")
    assert await ids(admin, ALL, ("id", f"{first},{second}")) == []
    assert await ids(admin, ALL, ("id", first), ("id", second)) == [second]


async def test_an_unknown_column_gets_nothing_as_admin_and_400_as_member(
    admin: Caller, member: Caller
) -> None:
    assert await ids(admin, ALL, ("colour", "red")) == []
    refused = await member.get(volumes(member), [("colour", "red")], version="volume 3.31")
    assert refused.status == 400
    assert await ids(member, ("colour", "red"), version="volume 3.30")


async def test_updated_at_misses_the_never_updated(
    admin: Caller, simulator: Simulator, clock: FixedClock
) -> None:
    clock.advance(timedelta(seconds=10))
    rows = list(simulator.state.world.volumes)
    rows[0].updated_at = None
    rows[1].updated_at = NOON + timedelta(seconds=10)
    since = ("updated_at", f"gte:{(NOON + timedelta(seconds=5)).isoformat()}")
    assert await ids(admin, ALL, since) == [rows[1].id]
    long_ago = ("updated_at", "gte:2000-01-01T00:00:00")
    assert rows[0].id not in await ids(admin, ALL, long_ago)


async def test_volume_pages_are_linked(admin: Caller, simulator: Simulator) -> None:
    seen: list[str] = []
    reply = await admin.get(volumes(admin), [ALL, ("limit", "3")])
    while True:
        seen += [volume["id"] for volume in reply.body["volumes"]]
        if "volumes_links" not in reply.body:
            break
        reply = await admin.get(reply.body["volumes_links"][0]["href"])
    assert sorted(seen) == sorted(simulator.truth("volume"))


async def test_all_tenants_of_a_member_is_ignored(member: Caller, simulator: Simulator) -> None:
    own = [
        id_
        for id_, volume in simulator.truth("volume").items()
        if volume["os-vol-tenant-attr:tenant_id"] == member.project_id
    ]
    assert sorted(await ids(member, ALL)) == sorted(own)


async def test_a_url_with_another_project_is_malformed(admin: Caller, member: Caller) -> None:
    assert (await admin.get(volumes(member))).status == 400


async def test_one_volume_can_be_read_and_a_missing_one_is_404(
    admin: Caller, simulator: Simulator
) -> None:
    base = f"/volume/v3/{admin.project_id}/volumes"
    id_ = next(iter(simulator.truth("volume")))
    assert (await admin.get(f"{base}/{id_}")).body["volume"]["id"] == id_
    assert (await admin.get(f"{base}/nothing")).status == 404
    assert (await admin.get(f"{base}/{id_}", version="volume 3.71")).status == 406


def add_images(simulator: Simulator, count: int) -> None:
    world = simulator.state.world
    project = next(iter(world.projects))
    for n in range(count):
        make_image(world, project.id, f"image-{n}").status = "active"


async def test_images_come_25_a_page_and_next_is_a_path_of_glance(
    admin: Caller, simulator: Simulator
) -> None:
    add_images(simulator, 60)
    reply = await admin.get("/image/v2/images")
    assert len(reply.body["images"]) == 25
    seen = [image["id"] for image in reply.body["images"]]
    while "next" in reply.body:
        assert reply.body["next"].startswith("/v2/images?")
        reply = await admin.get(f"/image{reply.body['next']}")
        seen += [image["id"] for image in reply.body["images"]]
    assert sorted(seen) == sorted(simulator.truth("image"))


async def test_several_images_are_asked_for_with_in(admin: Caller, simulator: Simulator) -> None:
    first, second, *_ = simulator.truth("image")
    reply = await admin.get("/image/v2/images", [("id", f"in:{first},{second}")])
    assert {image["id"] for image in reply.body["images"]} == {first, second}


async def test_community_images_need_visibility_all(admin: Caller, simulator: Simulator) -> None:
    image = next(iter(simulator.state.world.images))
    image.visibility = "community"
    default = await admin.get("/image/v2/images")
    everything = await admin.get("/image/v2/images", [("visibility", "all")])
    assert image.id not in {each["id"] for each in default.body["images"]}
    assert image.id in {each["id"] for each in everything.body["images"]}


async def test_an_image_can_be_read_and_a_missing_one_is_404(
    admin: Caller, simulator: Simulator
) -> None:
    id_, image = next(iter(simulator.truth("image").items()))
    assert (await admin.get(f"/image/v2/images/{id_}")).body == image
    assert (await admin.get("/image/v2/images/nothing")).status == 404
