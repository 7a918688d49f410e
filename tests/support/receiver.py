"""A receiver of webhooks on this machine, that does what the test tells it."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[int], Awaitable[web.Response]]
"""Returns the answer to the request of that number, the first is 1."""


async def fine(_: int) -> web.Response:
    """Take everything."""
    return web.Response(status=204)


async def never(_: int) -> web.Response:
    """Take the request and say nothing."""
    await asyncio.Event().wait()
    raise AssertionError


def fails(times: int, status: int = 503, **headers: str) -> Answer:
    """Refuse so many requests, then take everything."""

    async def answer(number: int) -> web.Response:
        if number > times:
            return await fine(number)
        return web.Response(status=status, text="not now", headers=headers)

    return answer


@dataclass(slots=True)
class Got:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.headers["webhook-id"]

    def signed_with(self, secret: bytes) -> bool:
        """Verify a signature as any library of Standard Webhooks does."""
        signed = f"{self.key}.{self.headers['webhook-timestamp']}.".encode() + self.body
        right = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        return f"v1,{right}" in self.headers["webhook-signature"].split(" ")


@dataclass(slots=True)
class Receiver:
    """What came, and what to answer."""

    answer: Answer = fine
    got: list[Got] = field(default_factory=list)
    url: str = ""

    @property
    def keys(self) -> list[str]:
        """Return the idempotency keys in order of arrival."""
        return [got.key for got in self.got]

    async def handle(self, request: web.Request) -> web.Response:
        """Note a request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(headers, await request.read()))
        return await self.answer(len(self.got))


@asynccontextmanager
async def receiving(answer: Answer = fine) -> AsyncIterator[Receiver]:
    """Run a receiver until the block is left."""
    receiver = Receiver(answer)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()
