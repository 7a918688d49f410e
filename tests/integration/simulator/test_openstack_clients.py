"""The real clients find their way: keystoneauth1 discovers, openstacksdk lists everything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any, get_args

import openstack
import pytest
from keystoneauth1 import session as keystone
from keystoneauth1.exceptions import Unauthorized
from keystoneauth1.identity.v3 import ApplicationCredential, Password

from services.simulator.api.identity import application_credential_id
from services.simulator.app import Simulator
from services.simulator.settings import Service, SimulatorSettings
from shared.clock import SystemClock

pytestmark = [
    # The clients warn of what they are going to change in themselves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Support for InfluxDB"),
]


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    settings = SimulatorSettings(servers=30, rate=0, services=get_args(Service))
    async with Simulator.open(settings, clock=SystemClock(), random=Random(7)) as simulator:
        yield simulator


@pytest.fixture
async def connect(simulator: Simulator, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that connects by the clouds.yaml which the simulator writes."""
    opened: list[Any] = []

    def connect(**how: Any) -> Any:
        path = tmp_path / "clouds.yaml"
        simulator.write_clouds_yaml(path, "sim", **how)
        config = openstack.config.OpenStackConfig(config_files=[str(path)], load_envvars=False)
        opened.append(openstack.connection.Connection(config=config.get_one("sim")))
        return opened[-1]

    yield connect
    for connection in opened:
        await asyncio.to_thread(connection.close)


def stacks_of(cloud: Any) -> list[Any]:
    """Return the stacks and those nested in them, which the client only gets one by one."""
    found = list(cloud.orchestration.stacks())
    nested = [
        cloud.orchestration.get_stack(resource.physical_resource_id)
        for stack in found
        for resource in cloud.orchestration.resources(stack)
        if resource.resource_type == "OS::Heat::ResourceGroup"
    ]
    return found + nested


LISTS: dict[str, Callable[[Any], Any]] = {
    "server": lambda cloud: cloud.compute.servers(all_projects=True),
    "port": lambda cloud: cloud.network.ports(),
    "network": lambda cloud: cloud.network.networks(),
    "subnet": lambda cloud: cloud.network.subnets(),
    "router": lambda cloud: cloud.network.routers(),
    "floating_ip": lambda cloud: cloud.network.ips(),
    "security_group": lambda cloud: cloud.network.security_groups(),
    "volume": lambda cloud: cloud.block_storage.volumes(all_projects=True),
    "image": lambda cloud: cloud.image.images(),
    "project": lambda cloud: cloud.identity.projects(),
    "flavor": lambda cloud: cloud.compute.flavors(is_public=None),
    "keypair": lambda cloud: [
        keypair
        for user in cloud.identity.users()
        for keypair in cloud.compute.keypairs(user_id=user.id)
    ],
    "aggregate": lambda cloud: cloud.compute.aggregates(),
    "server_group": lambda cloud: cloud.compute.server_groups(all_projects=True),
    "hypervisor": lambda cloud: cloud.compute.hypervisors(details=True),
    "compute_service": lambda cloud: cloud.compute.services(),
    "availability_zone": lambda cloud: cloud.compute.availability_zones(details=True),
    "security_group_rule": lambda cloud: cloud.network.security_group_rules(),
    "subnet_pool": lambda cloud: cloud.network.subnet_pools(),
    "trunk": lambda cloud: cloud.network.trunks(),
    "qos_policy": lambda cloud: cloud.network.qos_policies(),
    "network_agent": lambda cloud: cloud.network.agents(),
    "snapshot": lambda cloud: cloud.block_storage.snapshots(all_projects=True),
    "backup": lambda cloud: cloud.block_storage.backups(all_tenants=True),
    "volume_type": lambda cloud: cloud.block_storage.types(is_public=None),
    "attachment": lambda cloud: cloud.block_storage.attachments(all_tenants=True),
    "user": lambda cloud: cloud.identity.users(),
    "group": lambda cloud: cloud.identity.groups(),
    "domain": lambda cloud: cloud.identity.domains(),
    "role": lambda cloud: cloud.identity.roles(),
    "stack": stacks_of,
    "stack_resource": lambda cloud: [
        resource for stack in stacks_of(cloud) for resource in cloud.orchestration.resources(stack)
    ],
    "node": lambda cloud: cloud.baremetal.nodes(details=True),
    "baremetal_port": lambda cloud: cloud.baremetal.ports(details=True),
    "load_balancer": lambda cloud: cloud.load_balancer.load_balancers(),
    "listener": lambda cloud: cloud.load_balancer.listeners(),
    "pool": lambda cloud: cloud.load_balancer.pools(),
    "member": lambda cloud: [
        member
        for pool in cloud.load_balancer.pools()
        for member in cloud.load_balancer.members(pool)
    ],
    "health_monitor": lambda cloud: cloud.load_balancer.health_monitors(),
    "l7_policy": lambda cloud: cloud.load_balancer.l7_policies(),
    "share": lambda cloud: cloud.shared_file_system.shares(all_tenants=True),
    "container": lambda cloud: cloud.object_store.containers(),
}
# What a list of the client shows where the API gives no id, or the client calls it otherwise.
KNOWN_AS: dict[str, Callable[[str], str]] = {
    "keypair": lambda id_: id_.partition("/")[2],
    "stack_resource": lambda id_: id_.partition("/")[2],
    "member": lambda id_: id_.partition("/")[2],
    "container": lambda id_: id_.partition("/")[2],
}


def _id_of(found: Any) -> str:
    """Return the id that the client gives an object, or its name where there is none."""
    return str(found.id or found.name)


@pytest.mark.parametrize("kind", LISTS)
async def test_openstacksdk_lists_what_there_is(
    simulator: Simulator, connect: Callable[..., Any], kind: str
) -> None:
    cloud = connect()
    found = await asyncio.to_thread(lambda: list(LISTS[kind](cloud)))
    known_as = KNOWN_AS.get(kind, str)
    ids = sorted(known_as(id_) for id_ in simulator.truth(kind))
    assert sorted(_id_of(each) for each in found) == ids
    assert found


async def test_openstacksdk_follows_the_pages(
    simulator: Simulator, connect: Callable[..., Any]
) -> None:
    cloud = connect()
    servers = await asyncio.to_thread(
        lambda: list(cloud.compute.servers(all_projects=True, limit=7))
    )
    assert len(servers) == len({server.id for server in servers}) == 30
    images = await asyncio.to_thread(lambda: list(cloud.image.images(limit=1)))
    assert len(images) == len(simulator.truth("image"))


async def test_openstacksdk_reads_one_server(
    simulator: Simulator, connect: Callable[..., Any]
) -> None:
    id_, body = next(iter(simulator.truth("server").items()))
    cloud = connect()
    server = await asyncio.to_thread(lambda: cloud.compute.get_server(id_))
    assert (server.name, server.status) == (body["name"], body["status"])


@pytest.mark.parametrize(
    ("service", "path", "highest"),
    [
        ("compute", "/compute/v2.1", (2, 95)),
        ("volumev3", "/volume/v3", (3, 70)),
        ("block-storage", "/volume/v3", (3, 70)),
        ("network", "/network/v2.0", None),
        ("image", "/image/v2", None),
        ("identity", "/identity/v3", None),
        ("event", "/event/v2", None),
    ],
)
async def test_keystoneauth_discovers_endpoints_and_microversions(
    simulator: Simulator,
    connect: Callable[..., Any],
    service: str,
    path: str,
    highest: tuple[int, int] | None,
) -> None:
    session = connect().session
    data = await asyncio.to_thread(
        session.get_endpoint_data, service_type=service, interface="public"
    )
    assert data.url.startswith(simulator.url + path)
    assert data.max_microversion == highest


async def test_application_credentials_and_members_get_in(connect: Callable[..., Any]) -> None:
    admin = connect(application_credential=True)
    servers = await asyncio.to_thread(lambda: list(admin.compute.servers(all_projects=True)))
    demo = connect(user="demo")
    own = await asyncio.to_thread(lambda: list(demo.compute.servers()))
    assert 0 < len(own) < len(servers)


async def test_a_wrong_password_or_secret_is_refused(simulator: Simulator) -> None:
    user = next(iter(simulator.state.world.users))
    url = f"{simulator.url}/identity/v3"
    for proof in (
        Password(url, password="wrong", username="admin", user_domain_id="default"),
        ApplicationCredential(
            url,
            application_credential_id=application_credential_id(user),
            application_credential_secret="wrong",
        ),
    ):
        with pytest.raises(Unauthorized):
            await asyncio.to_thread(keystone.Session(auth=proof).get_token)
