"""Certificates, and a broker that wants one of its clients and takes only small messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme

from tests.support.ports import free_port
from tests.support.rabbitmq import RabbitNode, running_node

SERVER_NAME = "localhost"
"""The only name in the server's certificate: 127.0.0.1 is not."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: an authority, what it issued to a server and a client, and another authority."""

    authority: Path
    server: Path
    client: Path
    client_key: Path
    stranger: Path
    """An authority that issued nothing of all this."""


def make_certificates(directory: Path) -> Certificates:
    """Make an authority and what it issues; a server's file holds its key, too."""
    authority = trustme.CA()
    server = authority.issue_cert(SERVER_NAME)
    client = authority.issue_cert("osevents@client.test")
    found = Certificates(
        authority=directory / "ca.pem",
        server=directory / "server.pem",
        client=directory / "client.pem",
        client_key=directory / "client.key",
        stranger=directory / "stranger.pem",
    )
    authority.cert_pem.write_to_path(str(found.authority))
    server.private_key_and_cert_chain_pem.write_to_path(str(found.server))
    client.cert_chain_pems[0].write_to_path(str(found.client))
    client.private_key_pem.write_to_path(str(found.client_key))
    trustme.CA().cert_pem.write_to_path(str(found.stranger))
    return found


@dataclass(frozen=True, slots=True)
class StrictBroker:
    """A broker that wants TLS, a certificate of its clients, and small messages."""

    node: RabbitNode
    tls_port: int
    """Beside the plain one, which is the node's."""
    certificates: Certificates


MOST_BYTES = 100_000
"""A larger message is refused by the strict broker."""


@pytest.fixture(scope="session")
def strict_broker() -> Iterator[StrictBroker]:
    """One for the whole session, since a broker takes seconds to start."""
    port = free_port()
    # Not tmp_path: Erlang's tools dislike long names.
    with TemporaryDirectory(prefix="tls-") as directory:
        certificates = make_certificates(Path(directory))
        more = f"""\
max_message_size = {MOST_BYTES}
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {certificates.authority}
ssl_options.certfile = {certificates.server}
ssl_options.keyfile = {certificates.server}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""
        with running_node(more) as node:
            yield StrictBroker(node, port, certificates)
