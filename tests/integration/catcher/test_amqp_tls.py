"""TLS to a real RabbitMQ, by the options of oslo.messaging's transport_url."""

import pytest

from shared.amqp.session import open_session
from shared.amqp.transport_url import parse_transport_url
from shared.errors import BusUnavailable
from tests.support.tls import SERVER_NAME, Certificates, StrictBroker

pytestmark = pytest.mark.rabbitmq


async def connect(host: str, port: int, *options: str) -> None:
    """Open a session and do something in it."""
    url = f"rabbit://guest:guest@{host}:{port}/?{'&'.join(('ssl=1', *options))}"
    async with open_session(parse_transport_url(url).address(), name="test") as session:
        assert await session.waiting_in("nothing") is None


def client_of(certificates: Certificates) -> list[str]:
    return [f"ssl_cert_file={certificates.client}", f"ssl_key_file={certificates.client_key}"]


async def test_authority_client_certificate_and_host_name_are_checked_both_ways(
    strict_broker: StrictBroker,
) -> None:
    trusted = f"ssl_ca_file={strict_broker.certificates.authority}"

    await connect(
        SERVER_NAME, strict_broker.tls_port, trusted, *client_of(strict_broker.certificates)
    )


async def test_a_broker_of_an_unknown_authority_is_refused(
    strict_broker: StrictBroker,
) -> None:
    strange = f"ssl_ca_file={strict_broker.certificates.stranger}"

    with pytest.raises(BusUnavailable, match="certificate verify failed"):
        await connect(
            SERVER_NAME, strict_broker.tls_port, strange, *client_of(strict_broker.certificates)
        )


async def test_the_name_in_the_certificate_must_be_the_hosts_unless_told_otherwise(
    strict_broker: StrictBroker,
) -> None:
    options = [
        f"ssl_ca_file={strict_broker.certificates.authority}",
        *client_of(strict_broker.certificates),
    ]

    with pytest.raises(BusUnavailable, match="IP address mismatch"):
        await connect("127.0.0.1", strict_broker.tls_port, *options)
    await connect(
        "127.0.0.1", strict_broker.tls_port, *options, "ssl_enforce_hostname_verification=false"
    )


async def test_without_a_client_certificate_the_broker_refuses_us(
    strict_broker: StrictBroker,
) -> None:
    with pytest.raises(BusUnavailable, match="no broker can be reached"):
        await connect(
            SERVER_NAME,
            strict_broker.tls_port,
            f"ssl_ca_file={strict_broker.certificates.authority}",
        )


async def test_without_an_authority_any_broker_will_do_as_in_oslo(
    strict_broker: StrictBroker,
) -> None:
    await connect("127.0.0.1", strict_broker.tls_port, *client_of(strict_broker.certificates))
