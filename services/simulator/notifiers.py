"""Where notifications go, and what happens to them on the way.

The port is `Notifier`. Here are the ones without a driver: the fan-out to several, and the one that
loses, repeats, delays and reorders on purpose. The real wire is in `services.simulator.amqp`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Protocol, Self

from services.simulator.notification import Json
from services.simulator.settings import NotificationMisbehaviour

_LOST_REMEMBERED = 10_000


class Notifier(Protocol):
    """Takes the notifications of all services."""

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Take a notification for `<topic>.<priority>` of a service's exchange.

        In the order of the calls, at most once, as oslo.messaging does it: what the broker does not
        take may be lost, and the service does not learn of it. May wait while too many are unsent.
        """
        ...


class FanOut:
    """Sends everything to each of several notifiers."""

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self._notifiers = tuple(notifiers)

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Send to each in turn."""
        for notifier in self._notifiers:
            await notifier.send(exchange, topic, message)


class MisbehavingNotifier:
    """Loses, repeats, delays and reorders notifications before another notifier gets them.

    `counts` says how many were sent, lost, duplicated, late and reordered. What is late or held
    back is sent when the notifier is left, at the latest.
    """

    def __init__(self, target: Notifier, random: Random) -> None:
        self.target = target
        """Who gets what is left."""
        self.behaviour = NotificationMisbehaviour()
        self.counts: Counter[str] = Counter()
        self.lost: deque[Json] = deque(maxlen=_LOST_REMEMBERED)
        """The latest that never arrived, as they would have."""
        self._random = random
        self._held: tuple[str, str, Json] | None = None
        self._late: deque[tuple[float, str, str, Json]] = deque()
        self._some_late = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        worker = tasks.create_task(self._send_late(), name="late-notifications")
        self._stack.callback(worker.cancel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        await self._release()
        while self._late:
            await self._send(*self._late.popleft()[1:])

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Send it, or do with it what the dice say."""
        behaviour = self.behaviour
        if self._happens("lost", behaviour.lost):
            self.lost.append(message)
            return
        if self._happens("late", behaviour.late):
            due = asyncio.get_running_loop().time() + behaviour.late_by
            self._late.append((due, exchange, topic, message))
            self._some_late.set()
            return
        if self._held is None and self._happens("reordered", behaviour.reordered):
            self._held = (exchange, topic, message)
            return
        await self._send(exchange, topic, message)
        if self._happens("duplicated", behaviour.duplicated):
            await self._send(exchange, topic, message)
        await self._release()

    def _happens(self, what: str, probability: float) -> bool:
        happens = probability > 0 and self._random.random() < probability
        self.counts[what] += happens
        return happens

    async def _release(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            await self._send(*held)

    async def _send(self, exchange: str, topic: str, message: Json) -> None:
        self.counts["sent"] += 1
        await self.target.send(exchange, topic, message)

    async def _send_late(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._late:
                self._some_late.clear()
                await self._some_late.wait()
            await asyncio.sleep(self._late[0][0] - loop.time())
            await self._send(*self._late.popleft()[1:])
