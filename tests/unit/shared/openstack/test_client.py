from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from shared.errors import CloudLeftAlone, CloudRefused, CloudUnavailable
from shared.openstack.breaker import BreakerRule
from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig
from shared.openstack.paging import Paging
from shared.openstack.replies import detail_of, one_line, retry_after_seconds
from shared.openstack.sending import Limits
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import QUICK, FakeCloud, client_of

PORTS = "/network/v2.0/ports"


class Failing:
    """Fails `times` times, then answers."""

    def __init__(self, times: int, failure: web.Response) -> None:
        self.left = times
        self.failure = failure

    async def __call__(self, _: web.Request) -> web.StreamResponse:
        self.left -= 1
        if self.left < 0:
            return web.json_response({"ports": []})
        failure = self.failure
        return web.Response(status=failure.status, body=failure.body, headers=failure.headers)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_passes_is_tried_again(
    cloud: FakeCloud, client: CloudClient, status: int
) -> None:
    cloud.answers[PORTS] = Failing(2, web.Response(status=status))
    assert await client.get("network", "ports") == {"ports": []}
    assert client.calls["network"] == 3


@pytest.mark.parametrize("status", [302, 400, 403, 404, 409, 413, 414])
async def test_a_refusal_is_final_and_says_what_openstack_said(
    cloud: FakeCloud, client: CloudClient, status: int
) -> None:
    body = {"NeutronError": {"type": "X", "message": "Port 42 is not yours", "detail": ""}}
    cloud.answer(PORTS, body, status=status)
    with pytest.raises(CloudRefused, match=f"network: GET ports of cloud prod: {status}") as caught:
        await client.get("network", "ports")
    assert caught.value.status == status
    assert caught.value.detail == "Port 42 is not yours"
    assert client.calls["network"] == 1


async def test_retries_end(cloud: FakeCloud, client: CloudClient) -> None:
    cloud.answers[PORTS] = Failing(99, web.Response(status=503, text="<h1>No server</h1>"))
    with pytest.raises(CloudUnavailable, match="503 <h1>No server</h1>"):
        await client.get("network", "ports")
    assert client.calls["network"] == QUICK.attempts


async def test_a_long_retry_after_is_left_to_the_caller(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answers[PORTS] = Failing(9, web.Response(status=429, headers={"Retry-After": "120"}))
    with pytest.raises(CloudUnavailable) as caught:
        await client.get("network", "ports")
    assert caught.value.retry_after_seconds == 120
    assert client.calls["network"] == 1


async def test_413_with_retry_after_is_a_rate_limit(cloud: FakeCloud, client: CloudClient) -> None:
    cloud.answers[PORTS] = Failing(1, web.Response(status=413, headers={"Retry-After": "0"}))
    assert await client.get("network", "ports") == {"ports": []}


async def test_a_second_401_is_a_refusal(cloud: FakeCloud, client: CloudClient) -> None:
    cloud.answer(PORTS, {"error": {"message": "not you"}}, status=401)
    with pytest.raises(CloudRefused) as caught:
        await client.get("network", "ports")
    assert caught.value.status == 401
    assert cloud.logins == 2


@pytest.mark.parametrize("body", [b'{"ports": [', b"<html>login here</html>", b""])
async def test_200_that_is_not_json_is_no_answer(
    cloud: FakeCloud, client: CloudClient, body: bytes
) -> None:
    cloud.answers[PORTS] = Failing(99, web.Response(status=200, body=body))
    with pytest.raises(CloudUnavailable, match="not JSON"):
        await client.get("network", "ports")


async def test_a_cut_connection_is_tried_again(cloud: FakeCloud, client: CloudClient) -> None:
    cuts = [1]

    async def cut_once(request: web.Request) -> web.StreamResponse:
        if cuts and cuts.pop():
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ports": []})

    cloud.answers[PORTS] = cut_once
    assert await client.get("network", "ports") == {"ports": []}


async def test_a_reply_beyond_the_limit_is_not_read_to_its_end(
    cloud: FakeCloud, config: CloudConfig
) -> None:
    cloud.answer(PORTS, {"ports": [{"name": "x" * 10_000}]})
    async with client_of(config, limits=Limits(body_bytes=1000)) as client:
        with pytest.raises(CloudRefused, match="longer than 1000 bytes"):
            await client.get("network", "ports")


async def test_repeated_parameters_and_the_microversion_reach_the_service(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answer("/volume/v3/volumes/detail", {"volumes": []})
    params = [("id", "['a', 'b']"), ("all_tenants", "1"), ("all_tenants", "2")]
    await client.get("block-storage", "volumes/detail", params, microversion="3.60")
    assert cloud.asked == [("/volume/v3/volumes/detail", params)]
    assert cloud.headers[0]["OpenStack-API-Version"] == "volume 3.60"


@pytest.mark.parametrize("host", ["http://inside.invalid:8004", ""])
async def test_a_redirect_is_followed_on_the_same_host_with_the_token_when_told_to(
    cloud: FakeCloud, client: CloudClient, host: str
) -> None:
    elsewhere = {"Location": f"{host}/network/v2.0/ports/by-name?x=1"}
    cloud.answer(PORTS, {}, status=302, headers=elsewhere)
    cloud.answer("/network/v2.0/ports/by-name", {"port": {"id": "a"}})
    assert await client.get("network", "ports", follow=True) == {"port": {"id": "a"}}
    assert cloud.asked[-1] == ("/network/v2.0/ports/by-name", [("x", "1")])
    with pytest.raises(CloudRefused) as refused:
        await client.get("network", "ports")
    assert refused.value.status == 302


async def test_redirects_that_run_in_a_circle_end(cloud: FakeCloud, client: CloudClient) -> None:
    cloud.answer(PORTS, {}, status=302, headers={"Location": PORTS})
    with pytest.raises(CloudRefused) as refused:
        await client.get("network", "ports", follow=True)
    assert (refused.value.status, client.calls["network"]) == (302, 2)


async def test_pages_follow_the_links_on_our_own_address(
    cloud: FakeCloud, client: CloudClient
) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        if request.query.get("marker"):
            return web.json_response({"ports": [{"id": "b"}]})
        link = {"rel": "next", "href": "http://inside.invalid/v2.0/ports?limit=1&marker=a"}
        return web.json_response({"ports": [{"id": "a"}], "ports_links": [link]})

    cloud.answers[PORTS] = page
    seen = [page async for page in client.pages("network", "ports", "ports", [("limit", "1")])]
    assert seen == [[{"id": "a"}], [{"id": "b"}]]


async def test_pages_that_run_in_a_circle_are_an_error_not_an_end(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answer(PORTS, {"ports": [{"id": "a"}], "ports_links": [{"rel": "next", "href": "?m=a"}]})
    with pytest.raises(CloudUnavailable, match="circle"):
        _ = [page async for page in client.pages("network", "ports", "ports")]
    assert client.calls["network"] == 2


async def test_a_service_that_ignores_the_offset_gives_an_error_not_a_list_without_end(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answer(PORTS, {"ports": [{"id": "a"}, {"id": "b"}]})
    listed = client.pages("network", "ports", "ports", [("limit", "2")], paging=Paging.OFFSET)
    with pytest.raises(CloudUnavailable, match="came twice"):
        _ = [page async for page in listed]


async def test_a_list_of_something_else_is_an_error_not_an_empty_list(
    cloud: FakeCloud, client: CloudClient
) -> None:
    cloud.answer(PORTS, {"message": "maintenance"})
    with pytest.raises(CloudUnavailable, match="no list 'ports'"):
        _ = [page async for page in client.pages("network", "ports", "ports")]


def test_a_foreign_message_can_be_stored() -> None:
    assert one_line("a\x00b \ud800 \n c") == "a\ufffdb ? c"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("-1", 0.0),
        ("soon", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2020 00:00:30 GMT", 0.0),
        ("Thu, 01 Jan 9999 00:00:30 GMT", 86400.0),
        ("99999999999999", 86400.0),
        ("1e999", 86400.0),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after_seconds(header, now=now) == seconds


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"itemNotFound": {"message": "Instance x", "code": 404}}', "Instance x"),
        (b'{"error": {"code": 404, "message": "No project", "title": "t"}}', "No project"),
        (b'{"NeutronError": "plain"}', "plain"),
        (
            b'{"explanation": "General.", "code": 404, "error": {"message": "The Stack (x)"}}',
            "The Stack (x)",
        ),
        (b'{"faultstring": "bad", "debuginfo": null}', "bad"),
        (
            b'{"code": 404, "title": "Bad Request", "description": "Pool x not found."}',
            "Pool x not found.",
        ),
        (
            rb'{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node x\"}"}',
            "Node x",
        ),
        (b'{"error_message": {"faultcode": "Client", "faultstring": "Node x"}}', "Node x"),
        (b'{"error_message": "{not JSON"}', "{not JSON"),
        (b'{"error_message": "{}"}', "{}"),
        (b"[]", ""),
        (b"<h1>404</h1>\n  No image x", "<h1>404</h1> No image x"),
        (b"nul \x00 and \xff", "nul \ufffd and \ufffd"),
        (b"x" * 400, "x" * 300 + "..."),
    ],
)
def test_the_message_is_found_in_every_services_shape(body: bytes, detail: str) -> None:
    assert detail_of(body) == detail


async def test_a_service_that_keeps_failing_is_left_alone_and_others_are_not(
    cloud: FakeCloud, config: CloudConfig
) -> None:
    clock = FixedClock(datetime.now(UTC))
    limits = replace(QUICK, breaker=BreakerRule(failures=4, pause=timedelta(seconds=5)))
    cloud.answers[PORTS] = Failing(4, web.Response(status=503, text="busy"))
    cloud.answer("/image/v2/images", {"images": []})
    async with client_of(config, limits=limits, clock=clock) as client:
        for _ in range(2):
            with pytest.raises(CloudUnavailable):
                await client.get("network", "ports")
        with pytest.raises(CloudLeftAlone, match=r"left alone since .*: network: GET .* 503 busy"):
            await client.get("network", "ports")
        assert client.calls["network"] == 4
        opened = client.budgets()["network"].opened
        assert opened is not None
        assert opened.since == clock.now()
        assert await client.get("image", "images") == {"images": []}
        clock.advance(timedelta(seconds=5))
        assert await client.get("network", "ports") == {"ports": []}
        assert client.budgets()["network"].opened is None


@pytest.mark.parametrize("status", [400, 403, 404, 429])
async def test_a_service_that_answers_is_not_left_alone(
    cloud: FakeCloud, config: CloudConfig, status: int
) -> None:
    limits = replace(QUICK, breaker=BreakerRule(failures=2))
    cloud.answer(PORTS, {"error": {"message": "no"}}, status=status)
    async with client_of(config, limits=limits) as client:
        for _ in range(5):
            with pytest.raises((CloudRefused, CloudUnavailable)):
                await client.get("network", "ports")
        assert client.budgets()["network"].opened is None
