"""What a supervisor asks a service over HTTP: does it live, is it ready, how does it do.

`/healthz` answers as long as the event loop turns; a service that cannot reach its bus is alive,
and restarting it would not help. `/readyz` says what is missing. `/metrics` is for Prometheus.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.errors import Misconfigured, Problem

Check = Callable[[], str | None]
"""Return why the service is not ready, None when it is. Called in the event loop: no waiting."""

_GOODBYE_SECONDS = 1.0


@asynccontextmanager
async def serve_health(
    *, host: str, port: int, checks: Mapping[str, Check], registry: CollectorRegistry
) -> AsyncIterator[int]:
    """Serve until the block is left; yields the port, which was chosen when `port` is 0.

    Raises Misconfigured when nothing can listen there.
    """
    answers = _Answers(checks, registry)
    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", answers.alive),
            web.get("/readyz", answers.ready),
            web.get("/metrics", answers.metrics),
        ]
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        # asyncio puts the address into the text once more; a name that is not known has no errno.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or error
        message = (
            f"cannot listen on {host} port {port}: {reason}; choose another"
            " port (OSEVENTS_HTTP__PORT), 0 for a free one, or off"
        )
        raise Misconfigured([Problem("http.port", message)]) from error


class _Answers:
    def __init__(self, checks: Mapping[str, Check], registry: CollectorRegistry) -> None:
        self._checks = checks
        self._registry = registry

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(self, _: web.Request) -> web.Response:
        answers = {name: check() for name, check in self._checks.items()}
        reasons = [f"{name}: {reason}\n" for name, reason in answers.items() if reason]
        if reasons:
            return web.Response(status=503, text="".join(reasons))
        return web.Response(text="ready\n")

    async def metrics(self, _: web.Request) -> web.Response:
        # In a thread: thousands of series take long enough to write to be felt as latency.
        text = await asyncio.to_thread(generate_latest, self._registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
