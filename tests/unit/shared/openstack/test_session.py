import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack import session
from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig
from shared.openstack.sending import Limits
from shared.waiting import pause
from tests.support.fake_cloud import FakeCloud, client_of

PORTS = "/network/v2.0/ports"


class SetClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


async def test_one_token_and_one_discovery_serve_many_calls(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answer(PORTS, {"ports": []})
    for _ in range(5):
        await client.get("network", "ports")
    assert (cloud.logins, client.tokens_fetched) == (1, 1)
    assert cloud.discoveries["network"] == 1
    assert client.calls == {"network": 5}
    assert client.project_id == "p1"


async def test_fifty_parallel_401s_cost_one_login(cloud: FakeCloud, config: CloudConfig) -> None:
    cloud.answer(PORTS, {"ports": []})
    async with client_of(config, limits=Limits(concurrency=50)) as client:
        await client.get("network", "ports")
        cloud.valid_tokens.clear()
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(client.get("network", "ports")) for _ in range(50)]
    assert [call.result() for call in calls] == [{"ports": []}] * 50
    assert cloud.logins == 2


async def test_a_token_is_renewed_before_it_ends(cloud: FakeCloud, config: CloudConfig) -> None:
    cloud.answer(PORTS, {"ports": []})
    clock = SetClock()
    async with client_of(config, clock=clock) as client:
        await client.get("network", "ports")
        clock.time += timedelta(minutes=57)
        await client.get("network", "ports")
        assert cloud.logins == 1
        clock.time += timedelta(minutes=1)
        await client.get("network", "ports")
    assert cloud.logins == 2


async def test_a_failed_login_is_shared_by_those_who_waited_for_it(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.login_status = 503
    cloud.login_may_go_on.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_failure(client)) for _ in range(10)]
        await asyncio.wait_for(cloud.login_began.wait(), 60)
        cloud.login_may_go_on.set()
    assert {type(call.result()) for call in calls} == {CloudUnavailable}
    assert cloud.logins == 1
    cloud.login_status = 201
    cloud.answer(PORTS, {"ports": []})
    assert await client.get("network", "ports") == {"ports": []}


@pytest.mark.parametrize(
    "token", [None, {}, {"project": None, "catalog": [None]}, {"expires_at": "soon", "roles": {}}]
)
async def test_a_token_that_cannot_be_read_is_a_keystone_that_does_not_serve_us(
    cloud: FakeCloud, client: CloudClient, token: Any
) -> None:
    async def say(_: web.Request) -> web.StreamResponse:
        headers = {"X-Subject-Token": "token"}
        return web.json_response({"token": token}, status=201, headers=headers)

    cloud.login = say
    with pytest.raises(CloudUnavailable, match="Keystone of cloud prod"):
        await client.get("network", "ports")

    cloud.login = None
    cloud.answer(PORTS, {"ports": []})
    assert await client.get("network", "ports") == {"ports": []}


async def test_a_keystone_that_answers_byte_by_byte_is_not_waited_for_for_ever(
    cloud: FakeCloud, client: CloudClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_DEADLINES", 0.01)
    over = asyncio.Event()

    async def say(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(status=201)
        await reply.prepare(request)
        while not over.is_set():
            await reply.write(b" ")
            await pause(timedelta(milliseconds=50), over)
        return reply

    cloud.login = say
    with pytest.raises(CloudUnavailable, match="has not answered within"):
        await client.get("network", "ports")
    over.set()


async def test_wrong_credentials_are_refused_with_the_name_of_the_cloud(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.login_status = 401
    with pytest.raises(CloudRefused, match="Keystone of cloud prod: 401") as caught:
        await client.get("network", "ports")
    assert caught.value.status == 401


async def test_a_service_is_found_by_its_official_type_behind_an_alias(
    cloud: FakeCloud, client: CloudClient
) -> None:
    endpoint = await client.endpoint("block-storage")
    assert endpoint is not None
    assert endpoint.url == f"{cloud.url}/volume/v3"
    assert endpoint.max_microversion == (3, 70)


async def test_a_service_that_is_not_catalogued_is_none_and_asks_no_more(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.services.discard("image")
    assert await client.endpoint("image") is None
    assert await client.endpoint("image") is None
    with pytest.raises(CloudRefused, match="has no service image"):
        await client.get("image", "images")
    assert cloud.logins == 1


async def test_a_service_that_joins_the_catalogue_is_found_with_the_next_token(
    cloud: FakeCloud, config: CloudConfig
) -> None:
    clock = SetClock()
    cloud.services.discard("image")
    async with client_of(config, clock=clock) as client:
        assert await client.endpoint("image") is None
        cloud.services.add("image")
        clock.time += timedelta(hours=1)
        assert await client.endpoint("image") is not None


async def test_a_catalogued_service_without_version_document_is_unavailable_not_absent(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.broken_discovery.add("compute")
    with pytest.raises(CloudUnavailable, match="compute of cloud prod: no version 2 document"):
        await client.endpoint("compute")
    cloud.broken_discovery.clear()
    assert await client.endpoint("compute") is not None


async def _failure(client: CloudClient) -> BaseException | None:
    try:
        await client.get("network", "ports")
    except CloudUnavailable as error:
        return error
    return None
