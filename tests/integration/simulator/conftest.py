"""A small simulated cloud at rest, and callers of its APIs."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import pytest

from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from tests.support.clocks import FixedClock


@dataclass
class Reply:
    """What an API answered."""

    status: int
    headers: Any
    body: Any


class Caller:
    """Calls the APIs with a token of `user`."""

    def __init__(self, http: aiohttp.ClientSession, simulator: Simulator, user: str) -> None:
        self.simulator = simulator
        self._http = http
        self._user = user
        self.token = ""
        self.project_id = ""

    async def log_in(self, *, password: str = "simulated") -> Reply:
        proof = {"user": {"name": self._user, "domain": {"id": "default"}, "password": password}}
        identity = {"methods": ["password"], "password": proof}
        reply = await self.post("/identity/v3/auth/tokens", {"auth": {"identity": identity}})
        self.token = reply.headers.get("X-Subject-Token", "")
        if reply.status == 201:
            self.project_id = reply.body["token"]["project"]["id"]
        return reply

    async def post(self, path: str, body: object) -> Reply:
        async with self._http.post(self.simulator.url + path, json=body) as response:
            return Reply(response.status, response.headers, await response.json())

    async def get(
        self, path: str, params: Sequence[tuple[str, str]] = (), *, version: str = ""
    ) -> Reply:
        headers = {"X-Auth-Token": self.token} | (
            {"OpenStack-API-Version": version} if version else {}
        )
        url = path if path.startswith("http") else self.simulator.url + path
        async with self._http.get(url, params=list(params), headers=headers) as response:
            return Reply(response.status, response.headers, await response.json())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def settings() -> SimulatorSettings:
    return SimulatorSettings(servers=30, rate=0, pace=0)


@pytest.fixture
async def simulator(settings: SimulatorSettings, clock: FixedClock) -> AsyncIterator[Simulator]:
    async with Simulator.open(settings, clock=clock, random=Random(7)) as simulator:
        yield simulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def admin(http: aiohttp.ClientSession, simulator: Simulator) -> Caller:
    caller = Caller(http, simulator, "admin")
    await caller.log_in()
    return caller


@pytest.fixture
async def member(http: aiohttp.ClientSession, simulator: Simulator) -> Caller:
    caller = Caller(http, simulator, "demo")
    await caller.log_in()
    return caller
