"""Tokens that expire, services that fail, and the calls that steer the simulator."""

import asyncio
from datetime import timedelta
from random import Random

import aiohttp
import pytest

from services.simulator.app import Simulator
from services.simulator.notification import Json
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from tests.integration.simulator.conftest import Caller
from tests.integration.simulator.test_compute_traps import happen
from tests.support.clocks import FixedClock

SERVERS = "/compute/v2.1/servers/detail"


async def test_without_a_token_there_is_401(admin: Caller) -> None:
    admin.token = "made up"
    reply = await admin.get(SERVERS)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("Keystone uri=")


async def test_a_token_expires_after_its_life(admin: Caller, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=3599))
    assert (await admin.get(SERVERS)).status == 200
    clock.advance(timedelta(seconds=1))
    assert (await admin.get(SERVERS)).status == 401
    await admin.log_in()
    assert (await admin.get(SERVERS)).status == 200


async def test_revoked_tokens_are_401_at_once(admin: Caller) -> None:
    await admin.post("/_simulator/revoke-tokens", {})
    assert (await admin.get(SERVERS)).status == 401


async def test_members_may_not_list_projects_but_read_their_own(member: Caller) -> None:
    assert (await member.get("/identity/v3/projects")).status == 403
    own = await member.get(f"/identity/v3/projects/{member.project_id}")
    assert own.body["project"]["name"] == "demo"


async def test_projects_are_filtered_by_name(admin: Caller) -> None:
    reply = await admin.get("/identity/v3/projects", [("name", "demo")])
    assert [project["name"] for project in reply.body["projects"]] == ["demo"]
    assert (await admin.get("/identity/v3/projects/nothing")).status == 404


async def test_a_body_that_is_no_login_is_400(admin: Caller) -> None:
    assert (await admin.post("/identity/v3/auth/tokens", {"auth": {}})).status == 400


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_fails_on_demand_and_the_others_do_not(admin: Caller, status: int) -> None:
    failing = {"failing": 1, "status": status, "retry_after": 7}
    await admin.post("/_simulator/misbehaviour", {"apis": {"compute": failing}})
    reply = await admin.get(SERVERS)
    assert (reply.status, reply.headers["Retry-After"]) == (status, "7")
    assert (await admin.get("/network/v2.0/networks")).status == 200
    await admin.post("/_simulator/misbehaviour", {})
    assert (await admin.get(SERVERS)).status == 200


async def test_a_slow_service_answers_after_the_delay(admin: Caller) -> None:
    await admin.post("/_simulator/misbehaviour", {"apis": {"compute": {"delay": 30}}})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await admin.get(SERVERS)
    assert (await admin.get("/network/v2.0/networks")).status == 200


async def test_calls_are_counted_by_service_and_kind_of_path(admin: Caller) -> None:
    await admin.get(SERVERS)
    for _ in range(2):
        await admin.get("/network/v2.0/ports/nothing")
    calls = (await admin.get("/_simulator/calls")).body
    assert calls["services"]["compute"] == {"GET /v2.1/servers/detail": 1}
    assert calls["services"]["network"] == {"GET /v2.0/ports/{id}": 2}
    assert calls["totals"]["network"] == 2
    assert calls["tokens_issued"] == 1


async def test_truth_is_what_the_api_shows_an_administrator(admin: Caller) -> None:
    real = (await admin.get("/_simulator/truth/port")).body
    listed = (await admin.get("/network/v2.0/ports")).body["ports"]
    assert {port["id"]: port for port in listed} == real
    assert (await admin.get("/_simulator/truth/unicorn")).status == 404


@pytest.mark.parametrize("kind", ["server", "volume", "image", "project", "floating_ip"])
async def test_truth_knows_every_kind(admin: Caller, kind: str, simulator: Simulator) -> None:
    assert (await admin.get(f"/_simulator/truth/{kind}")).body.keys() == simulator.truth(
        kind
    ).keys()


async def test_orders_that_make_no_sense_are_refused(admin: Caller) -> None:
    post = admin.post
    assert (await post("/_simulator/life", {"begin": ["paint server"]})).status == 400
    assert (await post("/_simulator/life", {"begin": ["confirm resize"]})).status == 409
    assert (await post("/_simulator/life", {"rate": -1})).status == 400
    assert (await post("/_simulator/misbehaviour", {"apis": {"paint": {}}})).status == 400


async def test_a_life_runs_until_its_notifications_were_sent(
    settings: SimulatorSettings, http: aiohttp.ClientSession
) -> None:
    async with Simulator.open(settings, clock=SystemClock(), random=Random(1)) as simulator:
        admin = Caller(http, simulator, "admin")
        await admin.post("/_simulator/life", {"rate": 2000, "notifications": 300})
        await happen(admin)
        life = (await admin.get("/_simulator/life")).body
    assert 300 <= life["sent"] == sum(life["notifications"].values()) < 400
    assert not life["running"]


async def test_everything_sent_reaches_the_notifier_that_was_given(
    settings: SimulatorSettings, clock: FixedClock
) -> None:
    sent: list[tuple[str, str, Json]] = []
    complete = asyncio.Event()

    class Recording:
        async def send(self, exchange: str, topic: str, message: Json) -> None:
            sent.append((exchange, topic, message))
            if message["event_type"] == "compute.instance.create.end":
                complete.set()

    opened = Simulator.open(settings, clock=clock, random=Random(1), notifier=Recording())
    async with asyncio.timeout(60), opened as simulator:
        simulator.state.life.begin("boot server")
        simulator.state.wake()
        await complete.wait()
    assert {exchange for exchange, _, _ in sent} == {"nova", "neutron"}
    assert len(sent) == simulator.state.life.sent == 15
