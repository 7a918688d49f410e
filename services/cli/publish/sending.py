"""Sends made notifications at their time, in batches of what is due. The clock is passed in."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.cli.publish.made import Made, Stamp, Timed
from shared.clock import Clock
from shared.pacing import Pace
from shared.waiting import pause

MOST_AT_ONCE = 500
_TICK = timedelta(microseconds=1)
"""Between two of a batch, so that their times tell their order."""


class Sink(Protocol):
    """One side that takes notifications."""

    async def send(self, made: Sequence[Made]) -> None:
        """Send `made` in order; returns when the other side has taken responsibility.

        Raises Transient when it did not, Permanent when it never will.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, and how long it took."""

    notifications: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One run: how fast, and with which stamp."""

    sink: Sink
    stamp: Stamp
    pace: Pace | None
    """None: in the story's own time."""
    speed: float
    """So many times faster than the story's own time."""
    clock: Clock
    elapsed: Callable[[], float]
    """Seconds since some beginning, never going back."""
    progress: Callable[[int], None]
    """Told how many were sent so far, after each batch."""

    async def run(self, story: Iterator[Timed], stop: asyncio.Event) -> Sent:
        """Send until the story ends, or `stop` is set."""
        began, sent = self.elapsed(), 0
        batch: list[Made] = []
        for number, (at, made) in enumerate(story):
            due = self.pace.due_seconds(number) if self.pace else at.total_seconds() / self.speed
            ahead = due - (self.elapsed() - began)
            if batch and (ahead > 0 or len(batch) >= MOST_AT_ONCE):
                sent += await self._flush(batch, sent)
                ahead = due - (self.elapsed() - began)
            if ahead > 0:
                await pause(timedelta(seconds=ahead), stop)
            if stop.is_set():
                break
            batch.append(made)
        sent += await self._flush(batch, sent)
        return Sent(sent, self.elapsed() - began)

    async def _flush(self, batch: list[Made], before: int) -> int:
        """Send what is due and forget it; return how many that were."""
        now = self.clock.now()
        stamped = [
            Made(self.stamp(made.notification, now=now + number * _TICK), made.exchange, made.topic)
            for number, made in enumerate(batch)
        ]
        batch.clear()
        if stamped:
            await self.sink.send(stamped)
            self.progress(before + len(stamped))
        return len(stamped)
