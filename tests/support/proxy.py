"""A TCP proxy that a test can freeze: connections stay open and nothing passes any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_CHUNK_BYTES = 65536


class Proxy:
    """Forwards connections to one port of 127.0.0.1."""

    def __init__(self, target_port: int) -> None:
        self.connections_made = 0
        self._target_port = target_port
        self._gates: list[asyncio.Event] = []
        self._serving: set[asyncio.Task[None]] = set()

    def freeze(self) -> None:
        """Make the connections there are half-open; new ones work."""
        for gate in self._gates:
            gate.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one client's connection both ways."""
        self.connections_made += 1
        gate = asyncio.Event()
        gate.set()
        self._gates.append(gate)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_forward(source, sink, gate))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    def end(self) -> None:
        """Drop every connection."""
        for task in self._serving:
            task.cancel()


async def _forward(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event
) -> None:
    try:
        while data := await source.read(_CHUNK_BYTES):
            await gate.wait()
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()


@asynccontextmanager
async def proxy_to(port: int, *, listen_on: int = 0) -> AsyncIterator[tuple[Proxy, int]]:
    """Give a proxy to `port` and the port that it listens on, a free one for 0."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", listen_on)
    try:
        yield proxy, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        proxy.end()
