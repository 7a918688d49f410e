"""Who goes first: news, and history only while nothing is in the way of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import structlog

from services.catcher.sources.polled import Turn
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import Transient
from shared.retrying import until_it_works

_LOOK_SECONDS = 0.05
_PATIENCE = timedelta(seconds=10)
"""How long waiting for the bus is no trouble."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Leisure:
    """Tells history when to go on."""

    turn: Turn
    """Of the news that come through the same API."""
    backlog: Callable[[], Awaitable[int]]
    """How many messages wait on the bus; see `shared.bus.port.Publisher.backlog`."""
    clock: Clock
    random: Random
    backoff: Backoff
    held_up: str | None = None
    """Why history has been waiting for long; None while it has not."""

    async def come(self) -> None:
        """Return when no news are read, and nothing waits on the bus that they would queue behind.

        What is published then is read at once, so news wait for one page of history at most.
        """
        await self.turn.history()
        since = self.clock.now()
        while waiting := await self._waiting_on_the_bus():
            if self.held_up is None and self.clock.now() - since > _PATIENCE:
                self.held_up = (
                    f"{waiting} messages wait on the bus for a service that is behind, or does not "
                    "run; history is loaded when they are read"
                )
                log.warning("history_held_up", reason=self.held_up)
            await asyncio.sleep(_LOOK_SECONDS)
            await self.turn.history()
        self.held_up = None

    async def _waiting_on_the_bus(self) -> int:
        return await until_it_works(
            self.backlog, backoff=self.backoff, random=self.random, on_failure=_bus_failed
        )


def _bus_failed(error: Transient, attempt: int) -> None:
    log.warning("history_waits", reason=str(error), attempt=attempt)
