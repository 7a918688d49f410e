"""Where a broker is: the hosts to try in order, with credentials, virtual host and TLS."""

import ssl
from dataclasses import dataclass, field

from yarl import URL

PORTS = {"amqp": 5672, "amqps": 5671}
"""Where brokers listen when the URL does not say; messages name it."""


@dataclass(frozen=True, slots=True)
class Address:
    """One broker or cluster; never empty. The repr leaves out the URLs, which hold passwords."""

    urls: tuple[URL, ...] = field(repr=False)
    """`amqp://` or `amqps://`, one for each host, tried in this order."""
    tls: ssl.SSLContext | None = None

    def before(self, rank: int) -> "Address":
        """Return the hosts preferred to the one of that rank; there must be some."""
        return Address(self.urls[:rank], self.tls)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Return the address of a plain AMQP URL, as `bus.url` has it."""
        parsed = URL(url)
        return cls((parsed.with_port(parsed.port or PORTS.get(parsed.scheme)),))
