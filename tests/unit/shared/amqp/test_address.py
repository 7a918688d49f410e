"""Where a broker is, from the URL of the configuration."""

import pytest

from shared.amqp.address import Address


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("amqp://osevents@bus/osevents", 5672),
        ("amqps://osevents@bus/osevents", 5671),
        ("amqp://osevents@bus:5673/osevents", 5673),
    ],
)
def test_the_port_is_known_also_where_the_url_does_not_say_it(url: str, port: int) -> None:
    (found,) = Address.parse(url).urls

    assert (found.host, found.port, found.path) == ("bus", port, "/osevents")
