"""Every kind is listed, paged, read by its id and found gone, over HTTP, as its service does it."""

import importlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, get_args

import pytest

from services.refresher.planner import plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.model import Resource
from services.simulator.app import Simulator
from services.simulator.settings import Service, SimulatorSettings
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import Kind
from tests.support.clocks import FixedClock
from tests.support.refresh import claims

SMALLEST_PAGE = "2"


class Cloud(NamedTuple):
    simulator: Simulator
    reader: Reader
    client: CloudClient


@pytest.fixture
async def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    clock = FixedClock()
    settings = SimulatorSettings(servers=60, rate=0, seed=7, services=get_args(Service))
    async with Simulator.open(settings, clock=clock, random=Random(1)) as simulator:
        simulator.write_clouds_yaml(tmp_path / "clouds.yaml", "prod")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        async with CloudClient.open(load_cloud("prod"), clock=clock, random=Random(2)) as client:
            yield Cloud(simulator, Reader(client, clock=clock), client)


def in_small_pages(resource: Resource) -> Resource:
    """Return the kind with pages so small that there are several, its parents' too."""
    params = tuple(
        (key, SMALLEST_PAGE if key == "limit" else value) for key, value in resource.list_params
    )
    below = resource.below
    if below is not None:
        below = replace(below, parent=in_small_pages(below.parent))
    return replace(resource, list_params=params, below=below)


async def listed(reader: Reader, resource: Resource) -> list[str]:
    """Return the ids of everything that a full pass would see."""
    return [
        str(resource.id_of(item))
        for params in resource.full_lists
        async for page in reader.objects.pages(resource, (*resource.list_params, *params))
        for item in page.items
    ]


async def test_every_kind_is_listed_whole_however_small_the_pages(cloud: Cloud) -> None:
    for kind, resource in ALL.items():
        truth = sorted(cloud.simulator.truth(kind))
        assert truth, kind
        assert sorted(await listed(cloud.reader, resource)) == truth, kind
        assert sorted(set(await listed(cloud.reader, in_small_pages(resource)))) == truth, kind


async def test_a_read_by_id_shows_what_the_list_shows(cloud: Cloud) -> None:
    for kind, resource in ALL.items():
        shown = {
            str(resource.id_of(item)): item
            async for page in cloud.reader.objects.pages(resource, resource.list_params)
            for item in page.items
        }
        id_, item = next(iter(shown.items()))
        findings = await read_all(cloud.reader, kind, id_)
        found = [one.object for one in findings.snapshots if one.ref.id == id_]
        assert (kind, found, findings.failed) == (kind, [item], [])


async def test_an_object_looks_the_same_alone_and_in_a_list(cloud: Cloud) -> None:
    for kind, resource in ALL.items():
        if resource.item_path is not None:
            async for page in cloud.reader.objects.pages(resource, resource.list_params):
                for item in page.items[:20]:
                    alone = await cloud.reader.objects.one(resource, str(resource.id_of(item)))
                    assert alone == item, kind


async def test_what_a_list_is_filtered_by_stands_in_its_objects(cloud: Cloud) -> None:
    for kind, resource in ALL.items():
        through = resource.below.through if resource.below else frozenset()
        async for page in cloud.reader.objects.pages(resource, resource.list_params):
            for item in page.items:
                assert resource.filters - through <= item.keys(), kind


async def test_what_does_not_exist_is_found_gone_and_nothing_else(cloud: Cloud) -> None:
    for kind in ALL:
        there = next(iter(cloud.simulator.truth(kind)))
        parent, slash, _ = there.partition("/")
        missing = f"{parent}/missing" if slash else "0f0f0f0f-0000-4000-8000-000000000000"
        findings = await read_all(cloud.reader, kind, missing, there)
        # Heat shows our own project alone: a stack that it does not know may be another's.
        absent = findings.doubted if kind == Kind.STACK else findings.gone
        assert (kind, [ref.id for ref in absent]) == (kind, [missing])
        assert there in {found.ref.id for found in findings.snapshots}, kind
        assert findings.failed == [], kind


async def read_all(reader: Reader, kind: str, *ids: str) -> Any:
    """Make the reads that are planned for some ids; return what they found together."""
    first, *others = [await reader.read(read) for read in plan(claims(kind, *ids), ALL).reads]
    for other in others:
        first.add(other)
    return first


@pytest.mark.parametrize("kind", sorted({"compute_service", "availability_zone", "container"}))
async def test_an_empty_list_of_what_cannot_be_read_alone_deletes_nothing(
    cloud: Cloud, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any, **__: Any) -> AsyncIterator[list[dict[str, Any]]]:
        yield []

    monkeypatch.setattr(cloud.client, "pages", nothing)
    findings = await read_all(cloud.reader, kind, "any")
    assert findings.gone == {}
    [(_, error)] = findings.failed
    assert "is empty" in str(error)


async def test_children_are_read_by_their_parents_and_through_them(cloud: Cloud) -> None:
    balancer = next(iter(cloud.simulator.truth("load_balancer")))
    pools = {
        id_
        for id_, pool in cloud.simulator.truth("pool").items()
        if pool["loadbalancers"][0]["id"] == balancer
    }
    expected = {id_ for id_ in cloud.simulator.truth("member") if id_.partition("/")[0] in pools}
    (read,) = plan(claims("member", balancer, by="loadbalancer_id"), ALL).reads
    findings = await cloud.reader.read(read)
    assert {found.ref.id for found in findings.snapshots} == expected
    stack = next(iter(cloud.simulator.truth("stack")))
    (read,) = plan(claims("stack_resource", stack, by="stack_id"), ALL).reads
    findings = await cloud.reader.read(read)
    assert {found.ref.id.partition("/")[0] for found in findings.snapshots} == {stack}


async def test_a_stack_and_its_resources_are_found_without_a_redirect(cloud: Cloud) -> None:
    """A read by the id alone is answered with a redirect: two calls for one stack."""
    await listed(cloud.reader, ALL["stack"])
    stack = next(iter(cloud.simulator.truth("stack")))
    before = cloud.client.calls["orchestration"]
    findings = await read_all(cloud.reader, "stack", stack)
    assert [found.ref.id for found in findings.snapshots] == [stack]
    assert cloud.client.calls["orchestration"] - before == 1
    (read,) = plan(claims("stack_resource", stack, by="stack_id"), ALL).reads
    await cloud.reader.read(read)
    assert cloud.client.calls["orchestration"] - before == 3, "the stack, and what is below it"


async def test_a_node_that_is_gone_has_no_ports(cloud: Cloud) -> None:
    gone = "0f0f0f0f-0000-4000-8000-000000000000"
    (read,) = plan(claims("baremetal_port", gone, by="node_uuid"), ALL).reads
    findings = await cloud.reader.read(read)
    assert (findings.snapshots, findings.failed, len(findings.settled)) == ([], [], 1)


async def test_the_resources_of_a_stack_that_is_not_shown_are_left_to_its_own_end(
    cloud: Cloud,
) -> None:
    """Heat shows our own project alone: if the stack was ours, its 404 takes them along."""
    gone = "0f0f0f0f-0000-4000-8000-000000000000/disk"
    findings = await read_all(cloud.reader, "stack_resource", gone)
    assert [ref.id for ref in findings.doubted] == [gone]
    assert not findings.gone


async def test_a_deleted_stack_that_heat_still_shows_is_gone(cloud: Cloud) -> None:
    world = cloud.simulator.state.world
    id_ = next(iter(cloud.simulator.truth("stack")))
    world.deleted_stacks[id_] = item = world.table("stack").remove(id_)
    item.body["stack_status"] = "DELETE_COMPLETE"
    findings = await read_all(cloud.reader, "stack", id_)
    assert [ref.id for ref in findings.gone] == [id_]


async def test_that_heat_shows_our_own_project_alone_is_known(cloud: Cloud) -> None:
    await listed(cloud.reader, ALL["stack"])
    assert cloud.reader.objects.scope.narrow == {"stack"}
    assert cloud.reader.objects.permits.denials() == {}


async def test_a_member_is_shown_what_belongs_to_their_project(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.simulator.write_clouds_yaml(tmp_path / "demo.yaml", "prod", user="demo")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "demo.yaml"))
    kinds = (Kind.SERVER, Kind.SERVER_GROUP, Kind.VOLUME, Kind.SNAPSHOT, Kind.BACKUP)
    clock = FixedClock()
    async with CloudClient.open(load_cloud("prod"), clock=clock, random=Random(3)) as client:
        reader = Reader(client, clock=clock)
        for kind in kinds:
            shown, truth = set(await listed(reader, ALL[kind])), cloud.simulator.truth(kind)
            field = str(ALL[kind].project_field)
            ours = {id_ for id_, item in truth.items() if item[field] == client.project_id}
            assert ours, kind
            found = await read_all(reader, kind, *list(ours)[:2], *list(truth.keys() - ours)[:2])
            read = {one.ref.id for one in found.snapshots}
            assert (shown, len(read), read - ours) == (ours, len(list(ours)[:2]), set()), kind
            assert (found.gone, found.failed) == ({}, []), kind
    assert reader.objects.scope.narrow == set(kinds)
    assert reader.objects.permits.denials() == {}


async def test_that_keystone_cuts_a_list_off_is_known_until_it_is_whole(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, cut = cloud.client.get, True

    async def cutting(*what: Any, **how: Any) -> Any:
        return (await get(*what, **how)) | ({"truncated": True} if cut else {})

    monkeypatch.setattr(cloud.client, "get", cutting)
    await listed(cloud.reader, ALL["user"])
    assert cloud.reader.objects.cut_off == {"user"}
    cut = False
    await listed(cloud.reader, ALL["user"])
    assert cloud.reader.objects.cut_off == set()


async def test_secrets_and_heartbeats_are_not_kept(cloud: Cloud) -> None:
    for kind, field in (
        ("attachment", "connection_info"),
        ("node", "driver_info"),
        ("compute_service", "updated_at"),
        ("network_agent", "heartbeat_timestamp"),
    ):
        resource = ALL[kind]
        async for page in cloud.reader.objects.pages(resource, resource.list_params):
            assert page.items
            assert all(field not in item for item in page.items)


@pytest.mark.parametrize(
    ("services", "absent"),
    [
        (
            ("identity",),
            {"stack", "stack_resource", "node", "baremetal_port", "load_balancer", "listener"}
            | {"pool", "member", "health_monitor", "l7_policy", "share", "container"},
        ),
        (("orchestration", "baremetal", "load-balancer", "share", "object-store"), set()),
    ],
)
async def test_services_that_a_cloud_lacks_are_absent_kinds(
    services: tuple[Service, ...],
    absent: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FixedClock()
    settings = SimulatorSettings(servers=2, rate=0, services=services)
    async with Simulator.open(settings, clock=clock, random=Random(1)) as simulator:
        simulator.write_clouds_yaml(tmp_path / "clouds.yaml", "prod")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        async with CloudClient.open(load_cloud("prod"), clock=clock, random=Random(2)) as client:
            objects = Reader(client, clock=clock).objects
            assert {kind for kind, one in ALL.items() if not await objects.has(one)} == absent


SDK = {
    "server": "compute.v2.server.Server",
    "flavor": "compute.v2.flavor.Flavor",
    "keypair": "compute.v2.keypair.Keypair",
    "aggregate": "compute.v2.aggregate.Aggregate",
    "server_group": "compute.v2.server_group.ServerGroup",
    "hypervisor": "compute.v2.hypervisor.Hypervisor",
    "compute_service": "compute.v2.service.Service",
    "availability_zone": "compute.v2.availability_zone.AvailabilityZone",
    "network": "network.v2.network.Network",
    "subnet": "network.v2.subnet.Subnet",
    "port": "network.v2.port.Port",
    "router": "network.v2.router.Router",
    "floating_ip": "network.v2.floating_ip.FloatingIP",
    "security_group": "network.v2.security_group.SecurityGroup",
    "security_group_rule": "network.v2.security_group_rule.SecurityGroupRule",
    "subnet_pool": "network.v2.subnet_pool.SubnetPool",
    "trunk": "network.v2.trunk.Trunk",
    "qos_policy": "network.v2.qos_policy.QoSPolicy",
    "network_agent": "network.v2.agent.Agent",
    "volume": "block_storage.v3.volume.Volume",
    "snapshot": "block_storage.v3.snapshot.Snapshot",
    "backup": "block_storage.v3.backup.Backup",
    "volume_type": "block_storage.v3.type.Type",
    "attachment": "block_storage.v3.attachment.Attachment",
    "image": "image.v2.image.Image",
    "project": "identity.v3.project.Project",
    "user": "identity.v3.user.User",
    "group": "identity.v3.group.Group",
    "domain": "identity.v3.domain.Domain",
    "role": "identity.v3.role.Role",
    "stack": "orchestration.v1.stack.Stack",
    "stack_resource": "orchestration.v1.resource.Resource",
    "node": "baremetal.v1.node.Node",
    "baremetal_port": "baremetal.v1.port.Port",
    "load_balancer": "load_balancer.v2.load_balancer.LoadBalancer",
    "listener": "load_balancer.v2.listener.Listener",
    "pool": "load_balancer.v2.pool.Pool",
    "member": "load_balancer.v2.member.Member",
    "health_monitor": "load_balancer.v2.health_monitor.HealthMonitor",
    "l7_policy": "load_balancer.v2.l7_policy.L7Policy",
    "share": "shared_file_system.v2.share.Share",
    "container": "object_store.v1.container.Container",
}
NOT_IN_THE_SDK = {
    # Filters that services take, and the client leaves out or calls otherwise.
    ("server", "changes-since"),
    ("network_agent", "id"),
    ("port", "id"),
    ("subnet_pool", "id"),
    ("trunk", "id"),
    ("stack", "id"),
    ("stack", "show_nested"),
    ("stack", "global_tenant"),
    ("node", "detail"),
    ("baremetal_port", "detail"),
    ("listener", "loadbalancer_id"),
    ("member", "loadbalancer_id"),
    ("member", "pool_id"),
    ("stack_resource", "stack_id"),
    ("volume", "id"),
}


def _sdk_class(kind: str) -> Any:
    module, _, name = SDK[kind].rpartition(".")
    return getattr(importlib.import_module(f"openstack.{module}"), name)


def _asked(resource: Resource) -> set[str]:
    """Return every parameter that a list of the kind is ever asked with."""
    params = [*resource.list_params, *resource.wider]
    params += [param for one in resource.full_lists for param in one]
    params += resource.ids_filter(["a"]) if resource.ids_filter else ()
    extra = {resource.since} if resource.since else set()
    return {key for key, _ in params} | set(resource.filters) | extra


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_we_ask_lists_for_is_known_to_the_sdk(kind: str) -> None:
    sdk = _sdk_class(kind)
    known = {
        value.get("name", key) if isinstance(value, dict) else value
        for key, value in sdk._query_mapping._mapping.items()
    }
    unknown = {(kind, key) for key in _asked(ALL[kind]) - known}
    assert unknown <= NOT_IN_THE_SDK


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_we_ask_where_the_sdk_asks(kind: str) -> None:
    resource, sdk = ALL[kind], _sdk_class(kind)
    if resource.below is not None and kind != "keypair":
        return
    ours = resource.path.removesuffix("/detail").strip("/")
    assert ours == sdk.base_path.strip("/")
    assert resource.collection == (sdk.resources_key or "")


def test_every_kind_is_compared_with_the_sdk() -> None:
    assert set(SDK) == set(Kind) == set(ALL)
