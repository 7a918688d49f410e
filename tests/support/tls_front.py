"""TLS before a plain server, as a load balancer ends it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 65536


@asynccontextmanager
async def tls_front(url: str, context: ssl.SSLContext) -> AsyncIterator[str]:
    """Listen with TLS and hand on to the server at `url`; yield the https address."""
    behind = urlsplit(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(behind.hostname, behind.port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, questions))
                group.create_task(_copy(answers, writer))
        finally:
            questions.close()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
    target.close()
