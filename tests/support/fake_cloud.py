"""A tiny OpenStack over HTTP for tests: Keystone, and services that a test scripts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from aiohttp import web

from shared.backoff import Backoff
from shared.clock import Clock, SystemClock
from shared.openstack.breaker import BreakerRule
from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig, load_cloud
from shared.openstack.sending import Limits

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_VERSIONS = {
    "compute": ("/compute/v2.1", "v2.1", {"version": "2.95", "min_version": "2.1"}),
    "network": ("/network/v2.0", "v2.0", {}),
    "block-storage": ("/volume/v3", "v3.0", {"version": "3.70", "min_version": "3.0"}),
    "image": ("/image/v2", "v2.15", {}),
    "orchestration": ("/orchestration/v1", "v1.0", {}),
    "identity": ("/identity/v3", "v3.14", {}),
}
_AT_FIRST = frozenset(_VERSIONS) - {"orchestration", "identity"}
QUICK = Limits(
    attempts=3,
    backoff=Backoff(first_seconds=0.001, longest_seconds=0.002),
    longest_wait_seconds=0.01,
    breaker=BreakerRule(failures=1_000_000),
)


class FakeCloud:
    """`answers` maps a path such as `/network/v2.0/ports` to what the test wants said."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.headers: list[dict[str, str]] = []
        self.logins = 0
        self.discoveries: Counter[str] = Counter()
        self.valid_tokens: set[str] = set()
        self.roles = ["admin"]
        self.token_life = timedelta(hours=1)
        self.services = set(_AT_FIRST)
        self.login_status = 201
        self.login: Answer | None = None
        """What answers logins instead."""
        self.login_began = asyncio.Event()
        self.login_may_go_on = asyncio.Event()
        self.login_may_go_on.set()
        self.broken_discovery: set[str] = set()
        self.url = ""

    def answer(self, path: str, reply: Any, *, status: int = 200, **kwargs: Any) -> None:
        """Say the same JSON whenever `path` is asked."""

        async def say(_: web.Request) -> web.StreamResponse:
            return web.json_response(reply, status=status, **kwargs)

        self.answers[path] = say

    def write_clouds_yaml(self, path: Path, name: str = "prod") -> Path:
        auth = {
            "auth_url": f"{self.url}/identity/v3",
            "username": "admin",
            "password": "secret",
            "project_name": "admin",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        entry = {"auth": auth, "region_name": "RegionOne", "api_timeout": 60}
        path.write_text(yaml.safe_dump({"clouds": {name: entry}}))
        return path

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/identity/v3", self._identity)
        application.router.add_post("/identity/v3/auth/tokens", self._log_in)
        application.router.add_get("/{tail:.*}", self._get)
        return application

    async def _identity(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"version": self._version("/identity/v3", "v3.14", {})})

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        self.logins += 1
        self.login_began.set()
        if self.login is not None:
            return await self.login(request)
        await self.login_may_go_on.wait()
        if self.login_status != 201:
            return web.json_response({"error": {"message": "no"}}, status=self.login_status)
        token = f"token-{self.logins}"
        self.valid_tokens = {token}
        now = datetime.now(UTC)
        project = {"id": "p1", "name": "admin", "domain": {"id": "default", "name": "Default"}}
        body = {
            "methods": ["password"],
            "user": {"id": "u1", "name": "admin", "domain": project["domain"]},
            "project": project,
            "roles": [{"id": "r1", "name": role} for role in self.roles],
            "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "expires_at": (now + self.token_life).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "catalog": [self._catalogued(type_) for type_ in sorted(self.services)],
        }
        return web.json_response({"token": body}, status=201, headers={"X-Subject-Token": token})

    def _catalogued(self, type_: str) -> dict[str, Any]:
        url = self.url + _VERSIONS[type_][0]
        name = "volumev3" if type_ == "block-storage" else type_
        endpoint = {"interface": "public", "region_id": "RegionOne", "region": "RegionOne"}
        return {"type": name, "name": name, "endpoints": [{**endpoint, "url": url, "id": name}]}

    async def _get(self, request: web.Request) -> web.StreamResponse:
        for type_, (path, number, extra) in _VERSIONS.items():
            if request.path.rstrip("/") == path:
                self.discoveries[type_] += 1
                if type_ in self.broken_discovery:
                    return web.Response(status=503)
                return web.json_response({"version": self._version(path, number, extra)})
        self.asked.append((request.path, list(request.query.items())))
        self.headers.append(dict(request.headers))
        if request.headers.get("X-Auth-Token") not in self.valid_tokens:
            return web.json_response({"error": {"message": "token expired"}}, status=401)
        if request.path not in self.answers:
            return web.json_response({"itemNotFound": {"message": "nothing here"}}, status=404)
        return await self.answers[request.path](request)

    def _version(self, path: str, number: str, extra: dict[str, str]) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{self.url}{path}/"}]
        return {"id": number, "status": "CURRENT", "links": links, **extra}


@asynccontextmanager
async def fake_cloud() -> AsyncIterator[FakeCloud]:
    """Serve a FakeCloud on a free port of 127.0.0.1."""
    cloud = FakeCloud()
    runner = web.AppRunner(cloud.application(), shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        cloud.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield cloud
    finally:
        cloud.login_may_go_on.set()
        await runner.cleanup()


def config_of(cloud: FakeCloud, directory: Path, monkeypatch: pytest.MonkeyPatch) -> CloudConfig:
    """Return the configuration of `cloud` as openstacksdk reads it from a file."""
    file = cloud.write_clouds_yaml(directory / "clouds.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    return load_cloud("prod")


@asynccontextmanager
async def client_of(
    config: CloudConfig, *, limits: Limits = QUICK, clock: Clock | None = None
) -> AsyncIterator[CloudClient]:
    """Open a client that waits next to nothing between its attempts."""
    clock = clock or SystemClock()
    async with CloudClient.open(config, clock=clock, random=Random(1), limits=limits) as client:
        yield client
