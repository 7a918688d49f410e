"""Asking for page after page, however long the cloud makes us wait."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

import orjson
import structlog

from services.catcher.decoding.envelope import from_panko
from services.catcher.decoding.notification import Notification
from services.catcher.sources.events_api import Reader
from services.catcher.sources.port import Unreadable
from services.catcher.sources.sweep import Item, Step, Sweep
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable, UnreadableNotification

PAGE = 1000
"""Events asked for at once: Panko makes four queries for each page, whatever its length."""
_SMALLEST_PAGE = 50

_Answer = TypeVar("_Answer")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """What one question came to, and when it was asked."""

    step: Step
    asked_at: datetime
    limit: int
    """How many were asked for."""


class Pager:
    """Heals trouble with the API inside, with backoff and smaller pages, and shows it."""

    def __init__(
        self, reader: Reader, *, name: str, clock: Clock, random: Random, backoff: Backoff
    ) -> None:
        self.trouble: str | None = "not asked yet"
        """Why there is no answer at present; None while there is."""
        self.healed = False
        """Whether there was trouble since somebody last set this to False."""
        self.reader = reader
        self.name = name
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._limit = PAGE
        self._attempt = 0

    async def next(self, sweep: Sweep, *, most: int) -> Page:
        """Return the next page of `sweep`, of about `most` items at most."""
        while True:
            query = sweep.query(min(most, self._limit))
            asked_at = self._clock.now()
            try:
                items = await self.reader.page(query)
            except (CloudRefused, CloudUnavailable) as error:
                # Too much may have been asked for: the answer too long, or not there in time.
                self._limit = max(_SMALLEST_PAGE, self._limit // 2)
                sweep = sweep.anew(self._clock.now())
                await self._wait_out(error)
                continue
            self._well()
            self._limit = min(PAGE, 2 * self._limit)
            step = sweep.take(items, query, self._clock.now())
            return Page(step, asked_at, query.limit)

    async def until_answered(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Return what `call` returns, once it raises neither CloudRefused nor CloudUnavailable."""
        while True:
            try:
                answer = await call()
            except (CloudRefused, CloudUnavailable) as error:
                await self._wait_out(error)
            else:
                self._well()
                return answer

    def _well(self) -> None:
        if self._attempt:
            self.healed = True
            log.info("source_recovered", cloud=self.reader.cloud, source=self.name)
        self.trouble = None
        self._attempt = 0

    async def _wait_out(self, error: CloudRefused | CloudUnavailable) -> None:
        trouble = str(error)
        if trouble != self.trouble:
            log.warning("source_trouble", cloud=self.reader.cloud, source=self.name, reason=trouble)
        self.trouble = trouble
        self._attempt += 1
        await asyncio.sleep(self._backoff.delay_seconds(self._attempt, self._random))


def opened(item: Item) -> Notification | Unreadable:
    """Return the notification behind an item, or what could not be read as one."""
    try:
        return from_panko(item.content)
    except UnreadableNotification as error:
        return Unreadable(orjson.dumps(item.content), str(error))
