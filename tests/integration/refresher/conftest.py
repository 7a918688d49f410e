from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig
from shared.store.database import Database
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import FakeCloud, client_of, config_of, fake_cloud
from tests.support.openstack.real import Keystone, real_keystone
from tests.support.refreshing import Setting

# Its tests are run by the modules that import it; only their own asserts would explain themselves.
pytest.register_assert_rewrite("tests.support.openstack.promises")


@pytest.fixture(scope="session")
def keystone_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """One real Keystone for several real services, with a `member`; to start it takes long."""
    with real_keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        keystone.add_member("member")
        yield keystone


@pytest.fixture
async def cloud() -> AsyncIterator[FakeCloud]:
    async with fake_cloud() as cloud:
        yield cloud


@pytest.fixture
def config(cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudConfig:
    return config_of(cloud, tmp_path, monkeypatch)


@pytest.fixture
async def client(config: CloudConfig) -> AsyncIterator[CloudClient]:
    async with client_of(config) as client:
        yield client


@pytest.fixture
def setting(database: Database, client: CloudClient) -> Setting:
    return Setting(database, client, FixedClock())
