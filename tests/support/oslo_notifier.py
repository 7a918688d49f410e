"""Sends notifications with the real oslo.messaging, in a process of its own.

Reads one JSON object from standard input: `url`, and `sends`, a list of objects with `exchange`,
`driver` (messagingv2 or messaging), `topic`, `publisher_id`, `priority`, `event_type`, `payload`,
`count`, perhaps `compression`; each is sent `count` times with `number` added to its payload.
oslo.messaging runs apart from the tests because it configures the process that it lives in.
"""

import json
import sys
from typing import Any

import oslo_messaging
from oslo_config import cfg


def notifier_for(url: str, send: dict[str, Any]) -> Any:
    """Return an oslo.messaging Notifier, set up as the service that owns the exchange is."""
    conf = cfg.ConfigOpts()
    conf([], project="osevents-test", default_config_files=[])
    if "compression" in send:
        url = f"{url}?kombu_compression={send['compression']}"
    # Read when the transport is made, so it cannot be overridden afterwards.
    oslo_messaging.set_transport_defaults(send["exchange"])
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    return oslo_messaging.Notifier(
        transport,
        publisher_id=send["publisher_id"],
        driver=send["driver"],
        topics=[send["topic"]],
        retry=5,
    )


def main() -> None:
    """Send what standard input asks for."""
    request = json.load(sys.stdin)
    for send in request["sends"]:
        notifier = notifier_for(request["url"], send)
        for number in range(send["count"]):
            payload = {**send["payload"], "number": number}
            getattr(notifier, send["priority"])({}, send["event_type"], payload)


if __name__ == "__main__":
    main()
