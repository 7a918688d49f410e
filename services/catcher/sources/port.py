"""What the pump needs of a source, whatever the protocol behind it.

Implementations: `amqp` (OpenStack's RabbitMQ), `polled` (its Events API, Panko's or Ceilometer's),
`webhook` (what Ceilometer posts); and with an end, `services.catcher.history` (what that API held
before) and `services.catcher.missed` (what another source missed).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from services.catcher.decoding.notification import Notification
from shared.event import Occasion


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
    last: bool = False
    """Nothing will ever follow: once this is done, the source is at its end."""


OnGap = Callable[[str], Awaitable[None]]
"""Told the reason when notifications may have been lost before we could read them.

Returns when the bus has taken the report; a source goes on (makes a queue anew, moves a
checkpoint) only then, so that a crash in between reports the gap again.
"""


class Checkpoint(Protocol):
    """Where a source keeps how far it was read, durably."""

    async def load(self) -> Mapping[str, Any] | None:
        """Return the position saved last, None when there is none."""
        ...

    async def save(self, position: Mapping[str, Any]) -> None:
        """Save the position, a JSON object; returns when it is durable."""
        ...


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

    @property
    def occasion(self) -> Occasion:
        """Why its events come now: as news, or as history."""
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

    def leave(self) -> Handover | None:
        """Return what nobody would hand over again after we are gone; None: there is no such thing.

        Called when `receive` will not be any more. What comes to the source from then on is
        refused, so that its sender knows.
        """
        ...
