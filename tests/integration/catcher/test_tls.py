"""Keystone and Panko behind real TLS: cacert, insecure, client certificates."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme
import yaml

from services.catcher.sources.events_api import Reader
from services.catcher.sources.panko import Panko
from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from shared.errors import CloudUnavailable
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.openstack.sending import Limits
from tests.support.tls_front import tls_front

CLOCK = SystemClock()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


@pytest.fixture
async def address(authority: trustme.CA) -> AsyncIterator[str]:
    """Where the simulated cloud is, with TLS; it wants a certificate of the client's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    settings = SimulatorSettings(servers=1, rate=0, pace=0)
    async with (
        Simulator.open(settings, clock=CLOCK, random=Random(7)) as simulator,
        tls_front(simulator.url, context) as url,
    ):
        simulator.state.life.begin("boot server")
        simulator.state.wake()
        yield url


async def oldest(directory: Path, url: str, monkeypatch: pytest.MonkeyPatch, **tls: Any) -> Any:
    """Ask the cloud at `url` for its oldest event, with these settings of clouds.yaml."""
    cloud = {
        "auth_type": "v3password",
        "auth": {
            "auth_url": f"{url}/identity/v3",
            "username": "admin",
            "password": "simulated",
            "user_domain_name": "Default",
        },
        "region_name": "RegionOne",
        # The simulator's catalogue knows nothing of what stands before it.
        "event_endpoint_override": f"{url}/event/v2",
        **tls,
    }
    path = directory / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"prod": cloud}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    async with CloudClient.open(
        load_cloud("prod"), clock=CLOCK, random=Random(1), limits=Limits(attempts=1)
    ) as client:
        return await Reader(client, Panko(), cloud="prod").oldest()


async def test_a_server_of_ones_own_authority_is_trusted_with_its_certificate(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await oldest(tmp_path, address, monkeypatch, cacert=str(tmp_path / "ca.pem"))


async def test_an_unknown_authority_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CloudUnavailable, match=r"(?i)certificate"):
        await oldest(tmp_path, address, monkeypatch)


async def test_a_wrong_host_name_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_number = address.replace("localhost", "127.0.0.1")

    with pytest.raises(CloudUnavailable, match=r"(?i)certificate"):
        await oldest(tmp_path, by_number, monkeypatch, cacert=str(tmp_path / "ca.pem"))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_verification_can_be_switched_off(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await oldest(tmp_path, address, monkeypatch, verify=False)


async def test_a_server_that_wants_a_client_certificate_gets_it(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    ours = authority.issue_cert("osevents@example.org")
    ours.private_key_pem.write_to_path(tmp_path / "key.pem")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    settings = SimulatorSettings(servers=1, rate=0, pace=0)
    async with (
        Simulator.open(settings, clock=CLOCK, random=Random(7)) as simulator,
        tls_front(simulator.url, context) as url,
    ):
        trust = {"cacert": str(tmp_path / "ca.pem")}
        with pytest.raises(CloudUnavailable):
            await oldest(tmp_path, url, monkeypatch, **trust)
        certificate = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
        await oldest(tmp_path, url, monkeypatch, **trust, **certificate)
