"""The processor at work: the timeline's writer, the keeper of dead letters, the retention."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Protocol

import structlog

from services.processor.metrics import ProcessorMetrics
from services.processor.retention import NO_LIMITS, Retention, TimelineLimits
from services.processor.rules.work import RuleWork
from shared.backoff import Backoff
from shared.bus.consuming import Consumer
from shared.bus.port import Bus, DeadLetterSubscription
from shared.clock import Clock
from shared.event import Event
from shared.retrying import until_it_works
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.timeline import Timeline
from shared.waiting import unless_stopped

GROUP = "processor"
BACKOFF = Backoff()
LETTERS_AT_ONCE = 200
GATHER_LETTERS = timedelta(milliseconds=200)

log = structlog.get_logger(__name__)


class Beside(Protocol):
    """Work of the processor that needs none of its events."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in hand."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """Everything one copy of the processor needs."""

    bus: Bus
    database: Database
    retention: timedelta
    """How long the timeline keeps events, by their own time."""
    clock: Clock
    random: Random
    metrics: ProcessorMetrics
    limits: TimelineLimits = NO_LIMITS
    """What of the timeline goes earlier."""
    rules: RuleWork | None = None
    """None: it only writes."""
    history: timedelta | None = None
    """How long the inventory's changes and tombstones are kept; None: like the timeline."""
    beside: Sequence[Beside] = ()
    """What else one copy does: the actions of rules, sending back dead letters."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in hand."""
        async with (
            self.bus.subscribe(GROUP) as events,
            self.bus.dead_letters() as letters,
            asyncio.TaskGroup() as group,
        ):
            consumer = Consumer(
                group=GROUP,
                subscription=events,
                bus=self.bus,
                handle=partial(self.write, Timeline(self.database)),
                note=lambda event: self.metrics.heartbeats.note(event, self.clock.now()),
                clock=self.clock,
                random=self.random,
                backoff=BACKOFF,
            )
            group.create_task(consumer.run(stop), name="timeline")
            group.create_task(self._keep_dead_letters(letters, stop), name="dead letters")
            retention = Retention(
                self.database,
                self.retention,
                self.clock,
                self.metrics.retention,
                self.limits,
                self.history,
            )
            group.create_task(retention.run(stop), name="retention")
            if self.rules is not None:
                group.create_task(self.rules.run(stop), name="rules")
            for work in self.beside:
                group.create_task(work.run(stop), name=type(work).__name__)

    async def write(self, timeline: Timeline, events: Sequence[Event]) -> None:
        """Put events on the timeline, each once whatever comes again, and let rules decide."""
        now = self.clock.now()
        decision = self.rules.begin(events, now) if self.rules else None
        new = await timeline.append(
            events, recorded_at=now, decide=decision.decide if decision else None
        )
        self.metrics.timeline.written(events, new, self.clock.now())
        if self.rules and decision:
            self.rules.committed(decision)

    async def _keep_dead_letters(
        self, letters: DeadLetterSubscription, stop: asyncio.Event
    ) -> None:
        store = DeadLetters(self.database)
        while not stop.is_set():
            batch = await unless_stopped(
                letters.receive(most=LETTERS_AT_ONCE, wait=GATHER_LETTERS), stop
            )
            if batch is None:
                continue
            kept = batch.letters
            await until_it_works(
                partial(store.keep, kept),
                backoff=BACKOFF,
                random=self.random,
                on_failure=lambda error, attempt: log.warning(
                    "dead_letters_wait", reason=str(error), attempt=attempt
                ),
            )
            await letters.acknowledge(batch)
            for letter in kept:
                self.metrics.letters.kept.labels(letter.origin).inc()
