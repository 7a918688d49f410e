"""Source to bus: receive, normalise, publish, and only then tell the source that it is done.

The order is the no-loss promise. What fails in between stays with the source and comes again; the
event's id makes the duplicate harmless. What cannot be read becomes a dead letter, with its
reason, and its neighbours go their way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import structlog

from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.notification import outcome_of
from services.catcher.decoding.remains import harmless, remains_of
from services.catcher.filters import PASS_ALL, TypeFilter
from services.catcher.metrics import CatcherMetrics
from services.catcher.sources.port import Handover, Source, Unreadable
from shared.backoff import Backoff
from shared.bus.port import Publisher
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.dead_letter import DeadLetter
from shared.errors import Transient
from shared.event import Event, Occasion
from shared.retrying import until_it_works
from shared.waiting import unless_stopped

MOST_AT_ONCE = 1000
GATHER = timedelta(milliseconds=10)
"""How long to wait for more notifications once there is one: a batch under load, no delay else."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pump:
    """Moves one source's notifications to the bus."""

    cloud: str
    source: Source
    bus: Publisher
    catalogue: Catalogue
    clock: Clock
    random: Random
    metrics: CatcherMetrics
    backoff: Backoff
    heard: Callable[[Sequence[Event], datetime], None] = field(default=lambda _events, _now: None)
    """Told of the events that the bus has taken."""
    filter: TypeFilter = PASS_ALL
    """What is dropped before anything is made of it; counted, see `osevents_filtered_total`."""

    async def run(self, stop: asyncio.Event) -> None:
        """Pump until `stop` is set or the source ends; what was received by then is finished."""
        while not stop.is_set():
            handover = await unless_stopped(
                self.source.receive(most=MOST_AT_ONCE, wait=GATHER), stop
            )
            if handover is not None:
                await self.move(handover)
                if handover.last:
                    return
        rest = self.source.leave()
        if rest is not None:
            await self.move(rest)

    async def move(self, handover: Handover) -> None:
        """Bring one handover to the bus, however long the bus makes us wait."""
        now = self.clock.now()
        events, letters, dropped = self.sort(handover, now)
        await self._until_taken(events, letters)
        await self.source.done(handover)
        self.metrics.caught.dropped(self.cloud, dropped)
        now = self.clock.now()
        self.metrics.caught.moved(self.cloud, self.source.name, events, len(letters), now)
        self.heard(events, now)

    def sort(
        self, handover: Handover, now: datetime
    ) -> tuple[list[Event], list[DeadLetter], Counter[str]]:
        """Return events, dead letters, and how many the pattern of a filter dropped."""
        events: list[Event] = []
        letters: list[DeadLetter] = []
        dropped: Counter[str] = Counter()
        for item in handover.items:
            if isinstance(item, Unreadable):
                reason = harmless(item.reason)
                log.warning("notification_unreadable", cloud=self.cloud, reason=reason)
                body = remains_of(item.body)
                letters.append(DeadLetter("catcher", reason, self.cloud, body, now))
            elif pattern := self.filter.dropped_by(
                item.event_type, item.priority, outcome_of(item)
            ):
                dropped[pattern] += 1
            else:
                events.append(
                    normalise(item, cloud=self.cloud, received_at=now, catalogue=self.catalogue)
                )
        if self.source.occasion is not Occasion.NEWS:
            events = [event._replace(occasion=self.source.occasion) for event in events]
        return events, letters, dropped

    async def _until_taken(self, events: list[Event], letters: list[DeadLetter]) -> None:
        await until_it_works(
            lambda: self._hand_over(events, letters),
            backoff=self.backoff,
            random=self.random,
            on_failure=self._publish_failed,
        )

    async def _hand_over(self, events: list[Event], letters: list[DeadLetter]) -> None:
        await self.bus.dead_letter(letters)
        await self.bus.publish(events)

    def _publish_failed(self, error: Transient, attempt: int) -> None:
        self.metrics.caught.publish_failed(self.cloud)
        log.warning("publish_failed", cloud=self.cloud, reason=str(error), attempt=attempt)
