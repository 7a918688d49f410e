"""Whether anybody listens where Ceilometer is to post."""

import asyncio

from services.cli.doctor.findings import Finding, ok, warning
from shared.runtime.sections import ListenerSettings

CONNECT_SECONDS = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for, not bound


async def webhook_findings(wanted: ListenerSettings) -> list[Finding]:
    """Connect to the listener's port, from here."""
    host = _EVERYWHERE.get(wanted.host, wanted.host)
    place = f"{wanted.host} port {wanted.port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, wanted.port)
            writer.close()
    except (OSError, TimeoutError):
        mend = "start osevents catcher on this machine, or ask where it runs"
        return [warning("webhook", "listener", f"nobody listens at {place}", mend)]
    if wanted.certificate is None:
        says = f"listens at {place}, in plain HTTP: passwords can be read on the way"
        mend = "set webhook.certificate, or put it behind something that speaks TLS"
        return [warning("webhook", "listener", says, mend)]
    return [ok("webhook", "listener", f"listens at {place}, with TLS")]
