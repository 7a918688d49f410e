"""The loop of every consumer: receive, handle, and acknowledge only what is committed.

What fails for now is tried again with the batch in hand, with backoff. What can never work is found
by halving the batch until the poison is alone; it becomes a dead letter, its neighbours go on.
Heartbeats are noted on the way and never handled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import structlog

from shared.backoff import Backoff
from shared.bus.port import Batch, Publisher, Subscription
from shared.clock import Clock
from shared.codec import encode
from shared.dead_letter import DeadLetter
from shared.errors import Permanent
from shared.event import Event
from shared.heartbeat import is_heartbeat
from shared.retrying import until_it_works
from shared.waiting import unless_stopped

Handle = Callable[[Sequence[Event]], Awaitable[None]]
"""Commits the effects of events, all or none; idempotent by event id.

Raises Transient when it may work later, Permanent when one of them makes it impossible.
"""

Note = Callable[[Event], None]
"""Told of each heartbeat once all events that came before it are committed."""

GATHER = timedelta(milliseconds=10)
"""How long to wait for more events once there is one: a batch under load, no delay otherwise."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One copy of a consumer group at work."""

    group: str
    subscription: Subscription
    bus: Publisher
    handle: Handle
    clock: Clock
    random: Random
    backoff: Backoff
    note: Note = field(default=lambda _: None)
    most: int = 500

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; the batch in hand is finished first."""
        while not stop.is_set():
            batch = await unless_stopped(
                self.subscription.receive(most=self.most, wait=GATHER), stop
            )
            if batch is not None:
                await self.finish(batch)

    async def finish(self, batch: Batch) -> None:
        """Handle a batch, however long that takes, and acknowledge it."""
        events = [event for event in batch.events if not is_heartbeat(event)]
        if events:
            await until_it_works(
                lambda: self._handle_isolating(events),
                backoff=self.backoff,
                random=self.random,
                on_failure=lambda error, attempt: log.warning(
                    "consumer_waits", group=self.group, reason=str(error), attempt=attempt
                ),
            )
        await self.subscription.acknowledge(batch)
        for event in batch.events:
            if is_heartbeat(event):
                self.note(event)

    async def _handle_isolating(self, events: Sequence[Event]) -> None:
        try:
            await self.handle(events)
        except Permanent as error:
            if len(events) == 1:
                await self._give_up(events[0], error)
                return
            middle = len(events) // 2
            await self._handle_isolating(events[:middle])
            await self._handle_isolating(events[middle:])

    async def _give_up(self, event: Event, error: Permanent) -> None:
        log.error("event_dead", group=self.group, event_id=event.id, reason=str(error))
        letter = DeadLetter(self.group, str(error), event.cloud, encode(event), self.clock.now())
        await self.bus.dead_letter([letter])
