"""Properties of a message that cannot be read: it is taken with those before them.

pamqp raises over a timestamp beyond the year 9999, a text that is no UTF-8, or tables within tables
by the hundred; aiormq gives the connection up over it, and the broker delivers the message again.
One such message would keep all behind it from being read, for ever
(docs/decisions/0072-unreadable-properties.md).
"""

import struct

import structlog
from pamqp import base

log = structlog.get_logger(__name__)

_UNREADABLE = (ValueError, ArithmeticError, RecursionError, struct.error)

_read_all = base.BasicProperties.unmarshal


def tolerate_unreadable_properties() -> None:
    """Make pamqp read, from now on, what can be read of a message's properties."""
    base.BasicProperties.unmarshal = _read_some  # type: ignore[method-assign, assignment]


def _read_some(properties: base.BasicProperties, flags: int, data: bytes) -> None:
    try:
        _read_all(properties, flags, data)
    except _UNREADABLE as error:
        log.warning("properties_unreadable", reason=f"{type(error).__name__} {error}")
