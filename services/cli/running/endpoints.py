"""/healthz, /readyz and /metrics of a process, where its settings want them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.cli.running.composition import Heart, Parts
from shared.runtime.health import serve_health


@asynccontextmanager
async def endpoints(parts: Parts, heart: Heart) -> AsyncIterator[int | None]:
    """Serve them; gives the port, None when the settings say `off`.

    Ready means that the database takes our heartbeat, and that the bus delivers, or takes what a
    catcher publishes: heartbeats at least. A cloud that is broken does not make a service unready:
    it would take away the other clouds with it.
    """
    http = parts.settings.http
    port = http.port_of(heart.service)
    if port is None:
        yield None
        return
    checks = {"database": lambda: heart.trouble, "bus": lambda: parts.bus.trouble}
    async with serve_health(
        host=http.host, port=port, checks=checks, registry=parts.registry
    ) as chosen:
        yield chosen
