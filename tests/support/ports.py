"""Free TCP ports of 127.0.0.1 for servers that cannot choose one themselves."""

import random
import socket

_BELOW_EPHEMERAL = range(15_000, 32_000)
"""Linux gives outgoing connections ports from 32768 up. A server port from that range can be taken
while the server restarts, even by the very client that tries to reconnect to it."""


def free_port() -> int:
    """Return a port that nothing listens on; tests running beside us choose at random, too."""
    dice = random.SystemRandom()  # not the seeded generator: parallel runs share seeds
    for _ in range(100):
        port = dice.choice(_BELOW_EPHEMERAL)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"100 ports of {_BELOW_EPHEMERAL} were tried and all are in use")
