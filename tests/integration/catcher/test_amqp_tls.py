"""TLS to a real RabbitMQ, by the options of oslo.messaging's transport_url."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shared.amqp.session import open_session
from shared.amqp.transport_url import parse_transport_url
from shared.errors import BusUnavailable
from tests.support.tls import SERVER_NAME, Certificates, make_certificates, tls_node

pytestmark = pytest.mark.rabbitmq


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    # Not tmp_path: Erlang's tools dislike long names.
    with TemporaryDirectory(prefix="tls-") as directory:
        yield make_certificates(Path(directory))


@pytest.fixture(scope="module")
def tls_port(certificates: Certificates) -> Iterator[int]:
    with tls_node(certificates) as (_, port):
        yield port


async def connect(host: str, port: int, *options: str) -> None:
    """Open a session and do something in it."""
    url = f"rabbit://guest:guest@{host}:{port}/?{'&'.join(('ssl=1', *options))}"
    async with open_session(parse_transport_url(url).address(), name="test") as session:
        assert await session.waiting_in("nothing") is None


def client_of(certificates: Certificates) -> list[str]:
    return [f"ssl_cert_file={certificates.client}", f"ssl_key_file={certificates.client_key}"]


async def test_authority_client_certificate_and_host_name_are_checked_both_ways(
    certificates: Certificates, tls_port: int
) -> None:
    trusted = f"ssl_ca_file={certificates.authority}"

    await connect(SERVER_NAME, tls_port, trusted, *client_of(certificates))


async def test_a_broker_of_an_unknown_authority_is_refused(
    certificates: Certificates, tls_port: int
) -> None:
    strange = f"ssl_ca_file={certificates.stranger}"

    with pytest.raises(BusUnavailable, match="certificate verify failed"):
        await connect(SERVER_NAME, tls_port, strange, *client_of(certificates))


async def test_the_name_in_the_certificate_must_be_the_hosts_unless_told_otherwise(
    certificates: Certificates, tls_port: int
) -> None:
    options = [f"ssl_ca_file={certificates.authority}", *client_of(certificates)]

    with pytest.raises(BusUnavailable, match="IP address mismatch"):
        await connect("127.0.0.1", tls_port, *options)
    await connect("127.0.0.1", tls_port, *options, "ssl_enforce_hostname_verification=false")


async def test_without_a_client_certificate_the_broker_refuses_us(
    certificates: Certificates, tls_port: int
) -> None:
    with pytest.raises(BusUnavailable, match="no broker can be reached"):
        await connect(SERVER_NAME, tls_port, f"ssl_ca_file={certificates.authority}")


async def test_without_an_authority_any_broker_will_do_as_in_oslo(
    certificates: Certificates, tls_port: int
) -> None:
    await connect("127.0.0.1", tls_port, *client_of(certificates))
