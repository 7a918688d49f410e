"""The bus within one process, for `osevents up` and tests.

It keeps nothing: `publish` returns when every group has acknowledged, so whoever published still
holds what a crash would lose, and reads it again from the source.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from shared.bus.port import Batch, DeadLetterBatch
from shared.dead_letter import DeadLetter
from shared.errors import BusUnavailable
from shared.event import Event

DEAD = "dead letters"

_Item = TypeVar("_Item")


@dataclass(slots=True, eq=False)
class _Publication:
    """One `publish` call that waits for its last acknowledgement."""

    open_items: int
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self) -> None:
        self.open_items -= 1
        if self.open_items == 0:
            self.done.set()


class _Queue(Generic[_Item]):
    """One group's items, each with the publication that waits for it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[tuple[_Item, _Publication]] = deque()
        self._changed = asyncio.Condition()

    async def put(self, items: Sequence[_Item], publication: _Publication) -> None:
        """Append all of `items`; blocks while the queue is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) < self._capacity)
            self._items.extend((item, publication) for item in items)
            self._changed.notify_all()

    async def take(self, most: int, wait: timedelta) -> list[tuple[_Item, _Publication]]:
        """Take the next items as `Subscription.receive` promises."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) > 0)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._changed.wait_for(lambda: len(self._items) >= most)
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            return taken

    def __len__(self) -> int:
        return len(self._items)

    async def put_back(self, taken: list[tuple[_Item, _Publication]]) -> None:
        """Return items to the front, in their order."""
        async with self._changed:
            self._items.extendleft(reversed(taken))
            self._changed.notify_all()


class _Share(Generic[_Item]):
    """What one subscriber of a queue holds and has not acknowledged."""

    def __init__(self, queue: _Queue[_Item]) -> None:
        self._queue = queue
        self._held: dict[int, list[tuple[_Item, _Publication]]] = {}
        self._next_token = 0

    async def take(self, most: int, wait: timedelta) -> tuple[tuple[_Item, ...], int]:
        taken = await self._queue.take(most, wait)
        self._next_token += 1
        self._held[self._next_token] = taken
        return tuple(item for item, _ in taken), self._next_token

    def acknowledge(self, token: object) -> None:
        assert isinstance(token, int)
        for _, publication in self._held.pop(token, []):
            publication.acknowledge()

    async def leave(self) -> None:
        for token in sorted(self._held, reverse=True):
            await self._queue.put_back(self._held.pop(token))


@dataclass(frozen=True, slots=True)
class MemorySubscription:
    """See `shared.bus.port.Subscription`."""

    share: _Share[Event]

    async def receive(self, *, most: int, wait: timedelta) -> Batch:
        """See `shared.bus.port.Subscription.receive`."""
        return Batch(*await self.share.take(most, wait))

    async def acknowledge(self, batch: Batch) -> None:
        """See `shared.bus.port.Subscription.acknowledge`."""
        self.share.acknowledge(batch.token)


@dataclass(frozen=True, slots=True)
class MemoryDeadLetters:
    """See `shared.bus.port.DeadLetterSubscription`."""

    share: _Share[DeadLetter]

    async def receive(self, *, most: int, wait: timedelta) -> DeadLetterBatch:
        """See `shared.bus.port.DeadLetterSubscription.receive`."""
        return DeadLetterBatch(*await self.share.take(most, wait))

    async def acknowledge(self, batch: DeadLetterBatch) -> None:
        """See `shared.bus.port.DeadLetterSubscription.acknowledge`."""
        self.share.acknowledge(batch.token)


class MemoryBus:
    """Both ends of the bus. The groups are fixed, so that one that starts late misses nothing."""

    def __init__(
        self, groups: Sequence[str] = ("processor", "refresher"), *, capacity: int = 10_000
    ) -> None:
        self._queues: dict[str, _Queue[Event]] = {group: _Queue(capacity) for group in groups}
        self._dead: _Queue[DeadLetter] = _Queue(capacity)

    @property
    def trouble(self) -> str | None:
        """See `shared.bus.port.Bus.trouble`."""
        return None

    async def publish(self, events: Sequence[Event]) -> None:
        """See `shared.bus.port.Publisher.publish`."""
        if not events:
            return
        publication = _Publication(len(events) * len(self._queues))
        for queue in self._queues.values():
            await queue.put(events, publication)
        await publication.done.wait()

    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        """See `shared.bus.port.DirectPublisher.publish_to`."""
        if not events:
            return
        queue = self._queues.get(group)
        if queue is None:
            raise BusUnavailable(
                f"there is no group {group!r}; there are {', '.join(self._queues)}"
            )
        publication = _Publication(len(events))
        await queue.put(events, publication)
        await publication.done.wait()

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """See `shared.bus.port.Publisher.dead_letter`."""
        if not letters:
            return
        publication = _Publication(len(letters))
        await self._dead.put(letters, publication)
        await publication.done.wait()

    async def backlog(self) -> int:
        """See `shared.bus.port.Publisher.backlog`."""
        return max(map(len, self._queues.values()))

    @asynccontextmanager
    async def subscribe(self, group: str) -> AsyncIterator[MemorySubscription]:
        """See `shared.bus.port.Bus.subscribe`."""
        share = _Share(self._queues[group])
        try:
            yield MemorySubscription(share)
        finally:
            await share.leave()

    @asynccontextmanager
    async def dead_letters(self) -> AsyncIterator[MemoryDeadLetters]:
        """See `shared.bus.port.Bus.dead_letters`."""
        share = _Share(self._dead)
        try:
            yield MemoryDeadLetters(share)
        finally:
            await share.leave()
