"""TCP ports of 127.0.0.1: free ones for servers that cannot choose themselves, and closed ones."""

import os
import random
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_BELOW_EPHEMERAL = range(15_000, 32_000)
"""Linux gives outgoing connections ports from 32768 up. A server port from that range can be taken
while the server restarts, even by the very client that tries to reconnect to it."""
_MOST_WORKERS = 8
_given: set[int] = set()
"""A port that was given is in use before long, though not at once."""


def free_port() -> int:
    """Return a port that nothing listens on, and that no other worker of this run is given."""
    dice = random.SystemRandom()  # not the seeded generator: parallel runs share seeds
    for _ in range(100):
        port = dice.choice(_ports_of_worker())
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"100 ports of {_ports_of_worker()} were tried and all are in use")


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port that refuses every connection, and that nobody else can listen on meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def _ports_of_worker() -> range:
    """Return the share of this worker of pytest-xdist; without workers it is the first."""
    number = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", "")) or ["0"]
    return _BELOW_EPHEMERAL[int(number[0]) % _MOST_WORKERS :: _MOST_WORKERS]
