"""The readers' requests on the real Keystone: lists whole and paged, single reads, and a 404."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from services.refresher.planner import plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.model import Resource
from shared.clock import SystemClock
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import Kind
from tests.support.openstack.real import Keystone, password_of, real_keystone
from tests.support.refresh import claims

pytestmark = [
    pytest.mark.xdist_group("real openstack"),
    pytest.mark.timeout(600),
    # keystoneauth1 warns of what it is going to change in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

CLOCK = SystemClock()
KINDS = (Kind.PROJECT, Kind.USER, Kind.GROUP, Kind.DOMAIN, Kind.ROLE)
MADE = 7
NOWHERE = "0123456789abcdef0123456789abcdef"


class Cloud(NamedTuple):
    keystone: Keystone
    reader: Reader


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """A Keystone with some of everything."""
    with real_keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        for number in range(MADE):
            for kind in KINDS:
                body: dict[str, Any] = {"name": f"{kind}-{number}"}
                if kind in (Kind.PROJECT, Kind.USER, Kind.GROUP):
                    body["domain_id"] = "default"
                keystone.call(f"/{kind}s", {kind: body})
        yield keystone


@pytest.fixture
async def cloud(
    keystone: Keystone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cloud]:
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    keystone.write_clouds_yaml(path, "prod", "v3password", **password_of("admin"))
    async with CloudClient.open(load_cloud("prod"), clock=CLOCK, random=Random(1)) as client:
        yield Cloud(keystone, Reader(client, clock=CLOCK))


async def listed(reader: Reader, resource: Resource) -> dict[str, dict[str, Any]]:
    """Return what a full pass would see, by id."""
    return {
        str(resource.id_of(item)): dict(item)
        async for page in reader.objects.pages(resource, resource.list_params)
        for item in page.items
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_shows_everything_that_was_made(cloud: Cloud, kind: Kind) -> None:
    found = await listed(cloud.reader, ALL[kind])

    names = {item["name"] for item in found.values()}
    assert {f"{kind}-{number}" for number in range(MADE)} <= names


@pytest.mark.parametrize("kind", [Kind.PROJECT, Kind.USER, Kind.GROUP, Kind.DOMAIN])
async def test_pages_of_two_show_the_same_as_one_list(cloud: Cloud, kind: Kind) -> None:
    whole, small = ALL[kind], replace(ALL[kind], list_params=(("limit", "2"),))
    pages = [page async for page in cloud.reader.objects.pages(small, small.list_params)]

    assert len(pages) > MADE // 2, "since 2025.1 these lists are paged"
    assert await listed(cloud.reader, small) == await listed(cloud.reader, whole)


@pytest.mark.parametrize("kind", KINDS)
async def test_targets_are_read_by_id_and_what_is_not_there_is_gone(
    cloud: Cloud, kind: Kind
) -> None:
    ids = [*list(await listed(cloud.reader, ALL[kind]))[:2], NOWHERE]

    found = [await cloud.reader.read(read) for read in plan(claims(kind, *ids), ALL).reads]

    snapshots = {each.ref.id for findings in found for each in findings.snapshots}
    gone = {ref.id for findings in found for ref in findings.gone}
    assert (snapshots, gone) == (set(ids[:2]), {NOWHERE})
