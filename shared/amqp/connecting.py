"""Connecting to a broker, and parting from it."""

import asyncio

import structlog
from aio_pika.abc import AbstractConnection

from shared.amqp.failures import described
from shared.amqp.properties import tolerate_unreadable_properties
from shared.waiting import within

CLOSE_SECONDS = 3.0
"""For a polite goodbye; at the end of a half-open socket nobody hears it."""

log = structlog.get_logger(__name__)


async def connect(connection: AbstractConnection, *, seconds: float) -> None:
    """Connect, or leave nothing half open behind, that would be closed when nobody listens.

    Raises what aio-pika raises, AMQPError or OSError, TimeoutError after `seconds`, and
    CancelledElsewhere.
    """
    tolerate_unreadable_properties()
    try:
        await within(connection.connect(), seconds)
    except BaseException:
        await disconnect(connection)
        raise


async def disconnect(connection: AbstractConnection) -> None:
    """Close politely, for a bounded time; a broken connection cannot be, and that is all right."""
    closing = asyncio.ensure_future(connection.close())
    _, unfinished = await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    for task in unfinished:
        task.cancel()
    if closing.done() and not closing.cancelled() and (error := closing.exception()):
        log.debug("close_failed", reason=described(error))
