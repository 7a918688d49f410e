"""Drives the life by the clock and hands what it sends to the notifiers."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from services.simulator.life.life import Life
from services.simulator.notification import Notification
from services.simulator.notifiers import Notifier
from shared.clock import Clock

_MOST_BEHIND = timedelta(seconds=1)
_BREATHE_EVERY = 20
"""After this many notifications the APIs get their turn, however fast the life is."""


class Runner:
    """Runs until it is told to stop. Whoever changes the life calls `wake`."""

    def __init__(self, life: Life, notifier: Notifier, clock: Clock) -> None:
        self._life = life
        self._notifier = notifier
        self._clock = clock
        self._woken = asyncio.Event()
        self._stopping = False
        self.ended = False
        """Whether it was told to stop and the cloud is at rest."""

    def wake(self) -> None:
        """Look again at what is due."""
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing any more; what is in flight ends, without its pauses."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Let things happen when they are due, until told to stop."""
        while not self._stopping:
            self._woken.clear()
            wait = self._seconds_to_wait()
            if wait is None or wait > 0:
                await self._sleep(wait)
            else:
                await self._catch_up()
        await self._send(self._life.finish())
        self.ended = True

    def _seconds_to_wait(self) -> float | None:
        due = self._life.due()
        if due is None:
            return None
        return due - (self._clock.now() - self._life.origin).total_seconds()

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _catch_up(self) -> None:
        """Do what is due; a life that cannot keep its rate is slower, its times stay true."""
        now = (self._clock.now() - self._life.origin).total_seconds()
        due = self._life.due()
        behind = 0.0 if due is None else now - due
        if behind > _MOST_BEHIND.total_seconds():
            self._life.origin += timedelta(seconds=behind)
            now -= behind
        await self._send(self._life.advance(now))

    async def _send(self, notifications: Iterator[Notification]) -> None:
        for count, notification in enumerate(notifications, start=1):
            await self._notifier.send(
                notification.exchange, notification.topic, notification.message
            )
            if count % _BREATHE_EVERY == 0:
                await asyncio.sleep(0)
