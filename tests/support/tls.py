"""A broker that only speaks TLS and wants a certificate of its clients, and the certificates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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


@contextmanager
def tls_node(certificates: Certificates) -> Iterator[tuple[RabbitNode, int]]:
    """Run a broker with a TLS listener; gives it and that listener's port."""
    port = free_port()
    more = f"""\
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {certificates.authority}
ssl_options.certfile = {certificates.server}
ssl_options.keyfile = {certificates.server}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""
    with running_node(more) as node:
        yield node, port
