"""Connecting to a broker, and parting from it."""

import asyncio
from typing import Any

import aio_pika
import structlog
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL

from shared.amqp.failures import described
from shared.amqp.properties import tolerate_unreadable_properties
from shared.waiting import within

CLOSE_SECONDS = 3.0
"""For a polite goodbye; at the end of a half-open socket nobody hears it."""

log = structlog.get_logger(__name__)


class Connection(aio_pika.Connection):
    """A connection whose socket can be cut when the other end does not read what is sent."""

    def __init__(self, url: URL, **options: Any) -> None:
        super().__init__(url, **options)
        self._socket = _Socket(url)
        self.kwargs["transport_factory"] = self._socket

    def cut(self) -> None:
        """Close the socket at once; what was not sent is lost."""
        if self._socket.writer is not None:
            self._socket.writer.transport.abort()


class _Socket(TransportFactory):
    """Opens the socket as aiormq does, and remembers it."""

    def __init__(self, url: URL) -> None:
        self.writer: asyncio.StreamWriter | None = None
        self._opening = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()

    async def create(
        self, url: URL, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self.writer = await self._opening.create(url, **options)
        return reader, self.writer


async def connect(connection: Connection, *, seconds: float) -> None:
    """Connect, or leave nothing half open behind, that would be closed when nobody listens.

    Raises what aio-pika raises, AMQPError or OSError, TimeoutError after `seconds`, and
    CancelledElsewhere.
    """
    tolerate_unreadable_properties()
    try:
        await within(connection.connect(), seconds)
    except BaseException:
        try:
            await disconnect(connection)
        finally:
            connection.cut()
        raise


async def disconnect(connection: Connection) -> None:
    """Close politely, for a bounded time; a broken connection cannot be, and that is all right.

    Then it is cut: a broker under an alarm does not read what publishers send, nor their goodbye,
    and the driver would keep the socket, with all that is unsent, until it does.
    """
    closing = asyncio.ensure_future(connection.close())
    try:
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    finally:
        if not closing.done():
            closing.cancel()
            connection.cut()
    if closing.done() and not closing.cancelled() and (error := closing.exception()):
        log.debug("close_failed", reason=described(error))
