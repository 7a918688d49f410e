"""What replies mean for objects, over HTTP against a scripted cloud."""

from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from services.refresher.findings import Findings
from services.refresher.planner import plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.errors import CloudInPart, CloudRefused
from shared.openstack.client import CloudClient
from tests.support.fake_cloud import Answer, FakeCloud
from tests.support.refresh import Claimed, Table, claims, target

PORTS = "/network/v2.0/ports"
SERVERS = "/compute/v2.1/servers"
VOLUMES = "/volume/v3/volumes"


async def read(reader: Reader, wanted: list[Claimed]) -> Findings[Claimed]:
    """Read what one plan asks for; it is one read in these tests."""
    (one,) = plan(wanted, ALL).reads
    return await reader.read(one)


def ids(findings: Findings[Claimed]) -> dict[str, list[str]]:
    """Name what became of everything."""
    return {
        "living": sorted(snapshot.ref.id for snapshot in findings.snapshots),
        "gone": sorted(ref.id for ref in findings.gone),
        "settled": sorted(claim.target.key for claim in findings.settled),
        "failed": sorted(claim.target.key for claim, _ in findings.failed),
    }


def serve(cloud: FakeCloud, table: Table, *keys: str, path: str = PORTS) -> None:
    """Answer the list and the single reads of `keys`."""
    cloud.answers[path] = table.list
    for key in keys:
        cloud.answers[f"{path}/{key}"] = table.show


async def test_one_object_is_read_by_its_id(cloud: FakeCloud, reader: Reader) -> None:
    serve(cloud, Table("ports", "port", [{"id": "a", "status": "ACTIVE"}]), "a")
    findings = await read(reader, claims("port", "a"))
    assert ids(findings) == {"living": ["a"], "gone": [], "settled": ["a"], "failed": []}
    assert findings.causes[findings.snapshots[0].ref].id == "event-of-a"


async def test_several_objects_are_one_call(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    serve(cloud, Table("ports", "port", [{"id": id_} for id_ in "abcd"]))
    findings = await read(reader, claims("port", "a", "b", "c"))
    assert ids(findings)["living"] == ["a", "b", "c"]
    assert client.calls["network"] == 1


async def test_a_404_that_names_the_object_deletes_it(cloud: FakeCloud, reader: Reader) -> None:
    serve(cloud, Table("ports", "port", []), "a")
    findings = await read(reader, claims("port", "a"))
    assert ids(findings) == {"living": [], "gone": ["a"], "settled": ["a"], "failed": []}


@pytest.mark.parametrize(
    "body",
    [
        {"NeutronError": {"message": "The resource could not be found."}},
        "404 page not found",
        {},
    ],
)
async def test_a_404_that_does_not_name_the_object_deletes_nothing(
    cloud: FakeCloud, reader: Reader, body: Any
) -> None:
    cloud.answer(f"{PORTS}/p1-a", body, status=404)
    findings = await read(reader, claims("port", "p1-a"))
    assert ids(findings) == {"living": [], "gone": [], "settled": [], "failed": ["p1-a"]}


@pytest.mark.parametrize("status", [302, 400, 401, 403, 409, 413, 414, 429, 500, 502, 503, 504])
async def test_nothing_else_deletes(cloud: FakeCloud, reader: Reader, status: int) -> None:
    cloud.answer(f"{PORTS}/a", {"error": {"message": "no a"}}, status=status)
    findings = await read(reader, claims("port", "a"))
    assert ids(findings) == {"living": [], "gone": [], "settled": [], "failed": ["a"]}


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_list_that_fails_deletes_nothing(
    cloud: FakeCloud, reader: Reader, status: int
) -> None:
    cloud.answer(PORTS, {"ports": []}, status=status)
    findings = await read(reader, claims("port", "a", "b"))
    assert ids(findings) == {"living": [], "gone": [], "settled": [], "failed": ["a", "b"]}


async def test_an_id_missing_from_a_list_is_asked_for_alone(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    table = Table("ports", "port", [{"id": id_} for id_ in "abc"])
    table.hidden = {"b", "c"}
    del table.objects["c"]
    serve(cloud, table, "b", "c")
    findings = await read(reader, claims("port", "a", "b", "c"))
    assert ids(findings) == {
        "living": ["a", "b"], "gone": ["c"], "settled": ["a", "b", "c"], "failed": []
    }  # fmt: skip
    assert client.calls["network"] == 3


async def test_an_id_missing_from_a_list_that_cannot_be_confirmed_fails_alone(
    cloud: FakeCloud, reader: Reader
) -> None:
    serve(cloud, Table("ports", "port", [{"id": "a"}]))
    cloud.answer(f"{PORTS}/b", {}, status=503)
    findings = await read(reader, claims("port", "a", "b"))
    assert ids(findings) == {"living": ["a"], "gone": [], "settled": ["a"], "failed": ["b"]}


async def test_a_list_that_ignores_the_ids_is_not_believed_nor_asked_again(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    cloud.answer(f"{VOLUMES}/detail", {"volumes": [{"id": "x"}, {"id": "a"}]})
    for key in "ab":
        cloud.answer(f"{VOLUMES}/{key}", {"volume": {"id": key}})
    assert ids(await read(reader, claims("volume", "a", "b")))["living"] == ["a", "b"]
    assert ids(await read(reader, claims("volume", "a", "b")))["living"] == ["a", "b"]
    assert client.calls["block-storage"] == 1 + 2 + 2


async def test_a_list_that_refuses_the_ids_falls_back_to_single_reads(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(f"{VOLUMES}/detail", {"badRequest": {"message": "invalid filter"}}, status=400)
    for key in "ab":
        cloud.answer(f"{VOLUMES}/{key}", {"volume": {"id": key}})
    assert ids(await read(reader, claims("volume", "a", "b")))["living"] == ["a", "b"]


@pytest.mark.parametrize("status", [413, 414, 431])
async def test_a_call_that_is_too_long_is_halved(
    cloud: FakeCloud, client: CloudClient, reader: Reader, status: int
) -> None:
    table = Table("ports", "port", [{"id": id_} for id_ in "abcd"])
    serve(cloud, table)
    cloud.answers[PORTS] = at_most_two(table.list, status)
    assert ids(await read(reader, claims("port", *"abcd")))["living"] == ["a", "b", "c", "d"]
    assert client.calls["network"] == 3


async def test_a_server_that_shows_as_deleted_is_gone(cloud: FakeCloud, reader: Reader) -> None:
    cloud.answer(f"{SERVERS}/a", {"server": {"id": "a", "status": "DELETED"}})
    findings = await read(reader, claims("server", "a"))
    assert ids(findings) == {"living": [], "gone": ["a"], "settled": ["a"], "failed": []}


async def test_a_server_of_a_cell_that_is_down_is_neither_written_nor_deleted(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(f"{SERVERS}/a", {"server": {"id": "a", "status": "UNKNOWN"}})
    findings = await read(reader, claims("server", "a"))
    assert ids(findings) == {"living": [], "gone": [], "settled": [], "failed": ["a"]}
    assert isinstance(findings.failed[0][1], CloudInPart)


async def test_a_full_pass_learns_of_such_a_server_that_it_is_there(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(f"{SERVERS}/a", {"server": {"id": "a", "status": "UNKNOWN"}})
    findings = await read(reader, [Claimed(target("server", "a", cause="pass:1"))])
    assert ids(findings) == {"living": [], "gone": [], "settled": ["a"], "failed": []}
    assert [ref.id for ref in findings.seen] == ["a"]


async def test_services_of_other_cells_are_read_while_one_is_down(
    cloud: FakeCloud, reader: Reader
) -> None:
    down = {"binary": "nova-compute", "host": "far", "status": "UNKNOWN"}
    services = [{"id": "near", "binary": "nova-compute", "host": "near"}, down]
    cloud.answer("/compute/v2.1/os-services", {"services": services})
    findings = await read(reader, claims("compute_service", "near", "far"))
    assert ids(findings) == {"living": ["near"], "gone": [], "settled": ["near"], "failed": ["far"]}
    assert isinstance(findings.failed[0][1], CloudInPart)


async def test_zones_are_read_by_whom_the_services_are_refused_and_none_is_taken_for_gone(
    cloud: FakeCloud, reader: Reader
) -> None:
    zones = {"availabilityZoneInfo": [{"zoneName": "near"}]}
    cloud.answer("/compute/v2.1/os-availability-zone/detail", zones)
    cloud.answer("/compute/v2.1/os-services", {"forbidden": {"message": "no"}}, status=403)
    findings = await read(reader, claims("availability_zone", "near", "far"))
    assert ids(findings) == {"living": ["near"], "gone": [], "settled": ["near"], "failed": ["far"]}


async def test_another_object_than_the_one_asked_for_is_no_answer(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(f"{PORTS}/a", {"port": {"id": "b"}})
    findings = await read(reader, claims("port", "a"))
    assert ids(findings) == {"living": [], "gone": [], "settled": [], "failed": ["a"]}


async def test_all_ports_of_two_servers_are_one_call_and_keep_their_causes(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    ports = [{"id": f"p{number}", "device_id": f"vm{number}"} for number in range(3)]
    serve(cloud, Table("ports", "port", ports))
    findings = await read(reader, claims("port", "vm0", "vm2", by="device_id"))
    assert ids(findings)["living"] == ["p0", "p2"]
    assert [cause.id for _, cause in sorted(findings.causes.items())] == [
        "event-of-vm0",
        "event-of-vm2",
    ]
    assert client.calls["network"] == 1


async def test_an_id_that_is_no_plain_word_cannot_leave_its_place_in_the_path(
    cloud: FakeCloud, reader: Reader
) -> None:
    await read(reader, claims("server", "../flavors?x=1"))
    assert cloud.asked == [(f"{SERVERS}/../flavors?x=1", [])]


async def test_the_microversion_is_ours_or_the_clouds_newest(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(f"{SERVERS}/a", {"server": {"id": "a"}})
    await read(reader, claims("server", "a"))
    assert cloud.headers[-1]["OpenStack-API-Version"] == "compute 2.70"


async def test_a_list_of_objects_without_an_id_is_no_answer(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(PORTS, {"ports": [{"name": "a"}]})
    findings = await read(reader, claims("port", "a", "b"))
    assert ids(findings)["failed"] == ["a", "b"]


async def test_an_unknown_service_refuses_the_read(cloud: FakeCloud, reader: Reader) -> None:
    cloud.services.discard("image")
    assert not await reader.objects.has(ALL["image"])
    findings = await read(reader, claims("image", "a"))
    assert isinstance(findings.failed[0][1], CloudRefused)
    assert not findings.gone


def at_most_two(answer: Answer, status: int) -> Answer:
    """Answer lists of up to two ids; refuse longer ones."""

    async def short(request: web.Request) -> web.StreamResponse:
        if len(request.query.getall("id")) > 2:
            return web.Response(status=status)
        return await answer(request)

    return short


def since(*servers: dict[str, Any]) -> dict[str, Any]:
    return {"servers": list(servers)}


async def test_what_a_list_of_changes_leaves_out_is_asked_for_alone(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    changed = [{"id": id_, "status": "ACTIVE"} for id_ in ("a", "b", "stranger")]
    cloud.answer(f"{SERVERS}/detail", since(*changed, {"id": "c", "status": "DELETED"}))
    cloud.answer(f"{SERVERS}/d", {"server": {"id": "d", "status": "ACTIVE"}})
    findings = await read(reader, claims("server", "a", "b", "c", "d"))
    assert ids(findings) == {
        "living": ["a", "b", "d"], "gone": ["c"], "settled": ["a", "b", "c", "d"], "failed": []
    }  # fmt: skip
    assert client.calls["compute"] == 2
    assert reader.lessons.shown("server") < 1


async def test_a_cloud_that_refuses_lists_of_changes_is_asked_one_by_one(
    cloud: FakeCloud, client: CloudClient, reader: Reader
) -> None:
    cloud.answer(f"{SERVERS}/detail", {"badRequest": {"message": "no"}}, status=400)
    for id_ in "abcd":
        cloud.answer(f"{SERVERS}/{id_}", {"server": {"id": id_}})
    assert ids(await read(reader, claims("server", *"abcd")))["living"] == list("abcd")
    assert client.calls["compute"] == 5
    assert len(plan(claims("server", *"abcd"), ALL, reader.lessons).reads) == 4


@pytest.mark.parametrize("status", [400, 413, 414, 431, 502])
async def test_a_query_that_is_too_long_is_halved_and_not_tried_again(
    cloud: FakeCloud, client: CloudClient, reader: Reader, status: int
) -> None:
    keys = [str(UUID(int=number)) for number in range(50)]
    table = Table("ports", "port", [{"id": id_} for id_ in keys])

    async def short_only(request: web.Request) -> web.StreamResponse:
        if len(request.query_string) > 1700:
            return web.Response(status=status)
        return await table.list(request)

    cloud.answers[PORTS] = short_only
    findings = await read(reader, claims("port", *keys))
    assert ids(findings)["living"] == keys
    asked = client.calls["network"]
    for again in plan(claims("port", *keys), ALL, reader.lessons).reads:
        assert ids(await reader.read(again))["failed"] == []
    assert client.calls["network"] - asked == 2


async def test_a_kind_that_may_not_be_listed_is_noted_until_it_works(
    cloud: FakeCloud, reader: Reader
) -> None:
    cloud.answer(PORTS, {"NeutronError": {"message": "no"}}, status=403)
    assert ids(await read(reader, claims("port", "a", "b")))["failed"] == ["a", "b"]
    assert "403 no" in reader.objects.permits.denials()["port"].reason
    serve(cloud, Table("ports", "port", [{"id": id_} for id_ in "ab"]))
    await read(reader, claims("port", "a", "b"))
    assert reader.objects.permits.denials() == {}


async def test_one_object_that_may_not_be_read_does_not_condemn_its_kind(
    cloud: FakeCloud, reader: Reader
) -> None:
    serve(cloud, Table("ports", "port", [{"id": "a"}]), "a")
    cloud.answer(f"{PORTS}/b", {"NeutronError": {"message": "no"}}, status=403)
    await read(reader, claims("port", "a"))
    await read(reader, claims("port", "b"))
    assert reader.objects.permits.denials() == {}
