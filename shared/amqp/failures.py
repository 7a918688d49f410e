"""What goes wrong with a broker, in the words of those who use it: wait, and try again."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiormq

from shared.errors import BusUnavailable
from shared.waiting import CancelledElsewhere

FAILURES = (
    aiormq.exceptions.AMQPError,
    OSError,
    RuntimeError,  # what aiormq says of a connection that is closed already
    TimeoutError,
    CancelledElsewhere,
    ValueError,  # a name of a queue, an exchange or a host that cannot be one
)
"""What aiormq raises of a broker that is away, or says no."""

_TOO_LARGE = re.compile(r"larger than (?:configured )?max size (?P<limit>\d+)")
"""In RabbitMQ's words: `message size 500 is larger than configured max size 400`."""


class MessageTooLarge(BusUnavailable):
    """The broker refuses bodies of more than `limit_bytes`; it closed the channel over one."""

    def __init__(self, message: str, limit_bytes: int) -> None:
        super().__init__(message)
        self.limit_bytes = limit_bytes


def is_failure(error: BaseException) -> bool:
    """Tell whether `error` is the broker's; what is not is a defect, and passes.

    A bare Exception is what aiormq ends pending calls with when the connection was closed at the
    other end just between two frames.
    """
    return isinstance(error, FAILURES) or type(error) is Exception


@contextmanager
def unavailable_when_it_fails(what: str, host: str) -> Iterator[None]:
    """Turn what aiormq raises inside into BusUnavailable; the cause is kept."""
    try:
        yield
    except Exception as error:
        if not is_failure(error):
            raise
        raise in_our_words(error, what, host) from error


def in_our_words(error: BaseException, what: str, host: str) -> BusUnavailable:
    """Return what to raise of a failure of `what`; a cancelled call is a connection that broke."""
    message = f"{what} at {host}: {described(error)}"
    if too_large := _TOO_LARGE.search(str(error)):
        return MessageTooLarge(message, int(too_large["limit"]))
    return BusUnavailable(message)


def described(error: BaseException) -> str:
    """Return the failure in one line."""
    if isinstance(error, aiormq.exceptions.InvalidFrameError) and "Connection.OpenOk" in str(error):
        # aiormq keeps the broker's words (530 NOT_ALLOWED) to itself here.
        return "the virtual host is not there, or our user may not use it"
    if isinstance(error, CancelledElsewhere | asyncio.CancelledError) or type(error) is Exception:
        return "the connection broke"
    return f"{type(error).__name__} {error}".strip()
