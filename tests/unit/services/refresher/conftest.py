from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.refresher.reading import Reader
from shared.clock import SystemClock
from shared.openstack.client import CloudClient
from tests.support.fake_cloud import FakeCloud, client_of, config_of, fake_cloud


@pytest.fixture
async def cloud() -> AsyncIterator[FakeCloud]:
    async with fake_cloud() as cloud:
        yield cloud


@pytest.fixture
async def client(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CloudClient]:
    async with client_of(config_of(cloud, tmp_path, monkeypatch)) as client:
        yield client


@pytest.fixture
def reader(client: CloudClient) -> Reader:
    return Reader(client, clock=SystemClock())
