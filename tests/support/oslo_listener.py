"""Listens to notifications with the real oslo.messaging, as Ceilometer's agent does, apart.

Reads one JSON object from standard input: `url`, `topic`, `exchanges`. Prints `ready` when it
consumes, then the `message_id` of each notification it takes; ends when standard input is closed.
"""

import json
import os
import sys
from typing import Any

import oslo_messaging
from oslo_config import cfg


class Agent:
    """Takes every priority."""

    def info(
        self,
        ctxt: dict[str, Any],  # noqa: ARG002 - oslo.messaging's signature
        publisher_id: str,  # noqa: ARG002
        event_type: str,  # noqa: ARG002
        payload: Any,  # noqa: ARG002
        metadata: dict[str, Any],
    ) -> None:
        """Say what was taken; in one write, since oslo.messaging calls from several threads."""
        os.write(1, f"{metadata['message_id']}\n".encode())

    error = warn = audit = critical = info


def main() -> None:
    """Listen until standard input ends."""
    request = json.loads(sys.stdin.readline())
    conf = cfg.ConfigOpts()
    conf([], project="osevents-test", default_config_files=[])
    transport = oslo_messaging.get_notification_transport(conf, url=request["url"])
    targets = [
        oslo_messaging.Target(topic=request["topic"], exchange=exchange)
        for exchange in request["exchanges"]
    ]
    listener = oslo_messaging.get_notification_listener(
        transport, targets, [Agent()], executor="threading"
    )
    listener.start()
    print("ready", flush=True)
    sys.stdin.read()
    listener.stop()
    listener.wait()


if __name__ == "__main__":
    main()
