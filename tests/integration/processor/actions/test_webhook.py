"""Webhooks over real HTTP: what is sent, and where it is not sent."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from services.processor.actions.port import ActionCall, Done, Never, Outcome, Tools, TryAgain
from services.processor.actions.webhook import Webhook
from shared.codec import SINGLE, decode
from shared.errors import Permanent
from shared.store.database import Database
from tests.support.clocks import FixedClock
from tests.support.events import NOON, event
from tests.support.firings import firing
from tests.support.receiver import Receiver, fails, never, receiving
from tests.support.tls import make_certificates

NEW, OLD = b"n" * 32, b"o" * 32


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


async def send(url: str, *, networks: tuple[str, ...] = (), **settings: Any) -> Outcome:
    """Make one try with the settings that a rule could have."""
    given = {"url": url, "allow_private": True, **settings}
    assert Webhook().check(given, "") == []
    no_database = cast("Database", None)  # a webhook asks for none
    tools = Tools(database=no_database, clock=FixedClock(), bus_url=None, allow_networks=networks)
    fired = firing(rule="née\nü", about=event(name="web-1"))
    call = ActionCall(firing=fired, settings=given, idempotency_key="key-0", attempt=1)
    async with Webhook().open(tools) as run:
        return await run(call)


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


async def test_the_event_comes_as_a_cloudevent_under_its_key(receiver: Receiver) -> None:
    assert await send(receiver.url) == Done("HTTP 204")

    [got] = receiver.got
    assert decode(got.body, SINGLE) == (event(name="web-1"),)
    assert got.headers["content-type"] == SINGLE
    assert got.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert got.headers["osevents-rule"] == "n%C3%A9e%0A%C3%BC"
    assert got.key == "key-0"
    assert "webhook-signature" not in got.headers


async def test_every_secret_signs(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEW_SECRET", secret(NEW))
    (tmp_path / "old").write_text(secret(OLD))

    await send(receiver.url, secrets=["env:NEW_SECRET", f"file:{tmp_path / 'old'}"])

    [got] = receiver.got
    assert got.signed_with(NEW)
    assert got.signed_with(OLD)
    assert not got.signed_with(b"x" * 32)


async def test_a_body_of_ones_own_and_headers_with_secrets(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "open-sesame")

    await send(
        receiver.url,
        body='{"text": {{ (rule ~ " " ~ event.name) | tojson }}}',
        headers={"Authorization": "Bearer ${env:TOKEN}"},
    )

    [got] = receiver.got
    assert got.body == b'{"text": "n\\u00e9e\\n\\u00fc web-1"}'
    assert got.headers["content-type"] == "application/json"
    assert got.headers["authorization"] == "Bearer open-sesame"


async def test_a_body_that_is_not_the_json_it_says_is_never_sent(receiver: Receiver) -> None:
    with pytest.raises(Permanent, match="makes no JSON of this event"):
        await send(receiver.url, body='{"text": {{ event.name }}}')

    assert receiver.got == []


async def test_a_secret_that_is_missing_is_waited_for_and_nothing_goes_out_unsigned(
    receiver: Receiver,
) -> None:
    outcome = await send(receiver.url, secrets=["env:NOT_SET_ANYWHERE"])

    assert outcome == TryAgain(
        "env:NOT_SET_ANYWHERE: the environment variable NOT_SET_ANYWHERE is not set"
    )
    assert receiver.got == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Done("HTTP 200")),
        (302, TryAgain("HTTP 302: redirects are not followed; give the final address")),
        (401, TryAgain("HTTP 401: not now")),
        (410, Never("HTTP 410: not now; the receiver is gone for good")),
        (503, TryAgain("HTTP 503: not now", 7.0)),
    ],
)
async def test_an_answer_means_what_standard_webhooks_says(status: int, expected: Outcome) -> None:
    headers = {"Retry-After": "7"} if status == 503 else {"Location": "http://169.254.169.254/"}
    async with receiving(fails(9, status, **headers)) as receiver:
        assert await send(receiver.url) == expected
        assert len(receiver.got) == 1


async def test_a_receiver_that_says_nothing_is_left_at_the_deadline() -> None:
    async with receiving(never) as receiver:
        assert await send(receiver.url, deadline="50ms") == TryAgain("no answer within 50ms")


async def test_only_the_beginning_of_a_long_answer_is_read() -> None:
    async def chatty(_: int) -> web.Response:
        return web.Response(status=500, body=b"x" * 50_000_000)

    async with receiving(chatty) as receiver:
        outcome = await send(receiver.url)

    assert isinstance(outcome, TryAgain)
    assert len(outcome.reason) < 400


async def test_what_does_not_speak_http_is_told_without_its_words() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(f"http://127.0.0.1:{port}/secret-path")

    assert isinstance(outcome, TryAgain)
    assert "secret-path" not in outcome.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_refused_however_it_is_named(
    receiver: Receiver, host: str
) -> None:
    url = receiver.url.replace("127.0.0.1", host)

    outcome = await send(url, allow_private=False)

    assert isinstance(outcome, Never), outcome
    assert "the address is private" in outcome.reason
    assert receiver.got == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
async def test_addresses_in_odd_spellings_are_no_way_round(receiver: Receiver, host: str) -> None:
    outcome = await send(receiver.url.replace("127.0.0.1", host), allow_private=False)

    assert isinstance(outcome, Never)
    assert receiver.got == []


async def test_a_network_that_the_operator_allows_may_be_reached(receiver: Receiver) -> None:
    outcome = await send(receiver.url, allow_private=False, networks=("127.0.0.0/8",))

    assert outcome == Done("HTTP 204")


async def test_a_proxy_from_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", receiver.url)

    outcome = await send("http://192.0.2.1/", allow_private=False)

    assert isinstance(outcome, Never)
    assert receiver.got == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/", receiver.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://localhost:{runner.addresses[0][1]}/"
        refused = await send(url)
        taken = await send(url, ca=str(certificates.authority))
    finally:
        await runner.cleanup()

    assert isinstance(refused, TryAgain)
    assert "certificate" in refused.reason
    assert taken == Done("HTTP 204")
