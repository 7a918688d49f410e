"""What the pump needs of a source, whatever the protocol behind it.

Implementations: `amqp` (OpenStack's RabbitMQ) and `panko` (its HTTP API, polled).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.catcher.decoding.notification import Notification


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something a source handed over that is no notification."""

    body: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Handover:
    """What a source gave at once, in its order, and a token for `done`."""

    items: tuple[Notification | Unreadable, ...]
    token: object


OnGap = Callable[[str], Awaitable[None]]
"""Told the reason when notifications may have been lost before we could read them.

Returns when the bus has taken the report; a source goes on (makes a queue anew, moves a
checkpoint) only then, so that a crash in between reports the gap again.
"""


class Source(Protocol):
    """One way to a cloud's notifications."""

    @property
    def name(self) -> str:
        """What logs, metrics and checkpoints call it; unique within the cloud."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why nothing can arrive at present; None while it can."""
        ...

    async def receive(self, *, most: int, wait: timedelta) -> Handover:
        """Return the next one to `most` items; waits for the first, then up to `wait` for more.

        Trouble with the cloud is healed inside, with backoff, and shown as `trouble`. What was
        handed over and not reported as done is handed over again after a restart or a reconnect.
        A cancelled call loses nothing.
        """
        ...

    async def done(self, handover: Handover) -> None:
        """Say that the bus has taken responsibility for everything in `handover`.

        Only now is the source told: the messages acknowledged, the checkpoint moved.
        """
        ...
