"""Sends dead letters back that somebody asked for, whoever asked and wherever they died.

The wish stands in the database: the command line needs no bus, and it works the same with RabbitMQ
and within one process, whose bus nobody else can reach (decision 0028).
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.processor.metrics import ProcessorMetrics
from services.processor.way_back import Reread, ToConsumers, ToOutbox, ToRefresher, way_back
from shared.bus.port import DirectPublisher
from shared.clock import Clock
from shared.dead_letter import DeadLetter
from shared.errors import Permanent, Transient
from shared.store.dead_letters import DeadLetters, KeptLetter
from shared.store.outbox import Outbox
from shared.store.targets import TargetQueue
from shared.waiting import pause, unless_stopped

INTERVAL = timedelta(seconds=1)
LEASE = timedelta(seconds=60)
SEND_SECONDS = 45
"""Within the lease: a full bus makes publishers wait, and another copy may have more luck."""
AT_ONCE = 20
NO_WAIT = timedelta()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returner:
    """One copy's work on letters that were asked for."""

    letters: DeadLetters
    outbox: Outbox
    targets: TargetQueue
    bus: DirectPublisher
    reread: Reread
    clock: Clock
    metrics: ProcessorMetrics

    async def run(self, stop: asyncio.Event) -> None:
        """Send back what is asked for until `stop` is set."""
        while not stop.is_set():
            for kept in await self._claim():
                if stop.is_set():
                    return
                await unless_stopped(self.send_back(kept), stop)
            await pause(INTERVAL, stop)

    async def send_back(self, kept: KeptLetter) -> None:
        """Send one letter back; what fails for now is tried again when the lease ends."""
        origin = kept.letter.origin
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._go(kept.letter)
            await self.letters.returned(kept, now=self.clock.now())
        except Permanent as error:
            await self._note_death(kept, str(error))
        except TimeoutError:
            log.warning("letter_waits", number=kept.number, reason="the bus takes nothing")
        except Transient as error:
            log.warning("letter_waits", number=kept.number, reason=str(error))
        else:
            log.info("letter_returned", number=kept.number, origin=origin)
            self.metrics.letters.returned.labels(origin, "returned").inc()

    async def _go(self, letter: DeadLetter) -> None:
        now = self.clock.now()
        match way_back(letter, self.reread):
            case ToConsumers(None, events):
                await self.bus.publish(events)
            case ToConsumers(str(group), events):
                await self.bus.publish_to(group, events)
            case ToRefresher(target):
                await self.targets.ask([target], now=now, merge_window=NO_WAIT)
            case ToOutbox(firing, position):
                await self.outbox.revive(firing, position, now=now)

    async def _note_death(self, kept: KeptLetter, reason: str) -> None:
        log.warning("letter_died_again", number=kept.number, reason=reason)
        self.metrics.letters.returned.labels(kept.letter.origin, "died_again").inc()
        try:
            await self.letters.died_again(kept, reason, now=self.clock.now())
        except Transient as error:
            log.warning("letter_waits", number=kept.number, reason=str(error))

    async def _claim(self) -> list[KeptLetter]:
        try:
            return await self.letters.claim(most=AT_ONCE, now=self.clock.now(), lease=LEASE)
        except Transient as error:
            log.warning("letters_wait", reason=str(error))
            return []
