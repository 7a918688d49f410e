"""Asks a real service: as a user would, to make and change things, and as our readers do."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from services.refresher.findings import Findings
from services.refresher.planner import plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.model import Resource
from shared.clock import SystemClock
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from tests.support.openstack.real import PASSWORD, Keystone, password_of
from tests.support.refresh import Claimed, claims

CLOCK = SystemClock()
NOWHERE = "0f0f0f0f-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Api:
    """A service as an administrator uses it."""

    url: str
    token: str
    version: str | None = None
    """What `OpenStack-API-Version` says."""

    def call(self, path: str, body: Any = None, *, method: str = "") -> Any:
        """Return what the service answers; a refusal fails the test, with its words."""
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        if self.version is not None:
            headers["OpenStack-API-Version"] = self.version
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/{path}", data, headers, method=method or None)
        try:
            with urlopen(request, timeout=120) as answer:
                text = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else {}


def authentication(keystone: Keystone) -> dict[str, str]:
    """Return what a service's configuration says of how it logs in."""
    return {
        "auth_type": "password",
        "auth_url": f"{keystone.url}/v3",
        "www_authenticate_uri": f"{keystone.url}/v3",
        "username": "admin",
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


@asynccontextmanager
async def client(keystone: Keystone, user: str, directory: Path) -> AsyncIterator[CloudClient]:
    """Open a client of the cloud `prod` with the credentials of `user`."""
    path = directory / f"{user}.yaml"
    keystone.write_clouds_yaml(path, "prod", "v3password", **password_of(user))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        cloud = load_cloud("prod")
    async with CloudClient.open(cloud, clock=CLOCK, random=Random(1)) as opened:
        yield opened


def in_pages_of(most: int, resource: Resource) -> Resource:
    """Return the kind with small pages, its parents' too."""
    params = tuple((key, str(most) if key == "limit" else v) for key, v in resource.list_params)
    below = resource.below
    if below is not None:
        below = replace(below, parent=in_pages_of(most, below.parent))
    return replace(resource, list_params=params, below=below)


async def pages(reader: Reader, resource: Resource) -> list[dict[str, dict[str, Any]]]:
    """Return what a full pass sees, page by page, by id."""
    return [
        {str(resource.id_of(item)): dict(item) for item in page.items}
        for params in resource.full_lists
        async for page in reader.objects.pages(resource, (*resource.list_params, *params))
    ]


async def listed(reader: Reader, resource: Resource) -> dict[str, dict[str, Any]]:
    """Return what a full pass sees, by id; fails when something is shown twice."""
    found = await pages(reader, resource)
    everything = {id_: item for page in found for id_, item in page.items()}
    assert len(everything) == sum(map(len, found)), "an object is shown twice"
    return everything


async def read(reader: Reader, kind: str, *keys: str, by: str = "id") -> Findings[Claimed]:
    """Make the reads that are planned for some targets; return what they found together."""
    return await read_claims(reader, claims(kind, *keys, by=by))


async def read_claims(reader: Reader, claimed: Sequence[Claimed]) -> Findings[Claimed]:
    """Make the reads that are planned for `claimed`; return what they found together."""
    planned = plan(claimed, ALL, reader.lessons)
    findings: Findings[Claimed] = Findings("prod")
    for one in planned.reads:
        findings.add(await reader.read(one))
    return findings


def objects_of(findings: Findings[Claimed]) -> dict[str, dict[str, Any]]:
    """Return the objects that were found, by id."""
    return {one.ref.id: dict(one.object) for one in findings.snapshots}
