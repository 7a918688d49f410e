"""Connecting to a broker."""

from aio_pika.abc import AbstractConnection


async def connect(connection: AbstractConnection, *, seconds: float) -> None:
    """Connect, or leave nothing half open behind, that would be closed when nobody listens.

    Raises what aio-pika raises: AMQPError, OSError, TimeoutError after `seconds`.
    """
    try:
        await connection.connect(timeout=seconds)
    except BaseException:
        await connection.close()
        raise
