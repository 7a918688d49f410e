"""What the live source missed, read from an Events API: a source that has an end.

While OpenStack's broker or our connection to it was away, Ceilometer may have gone on recording.
What it recorded since we last heard something is read once now, and once more a while later,
because an agent that was behind itself records late, under the old time. What we had already is
harmless: it has the same id.
"""

import asyncio
from datetime import datetime, timedelta

from services.catcher.sources.horizon import OVERLAP
from services.catcher.sources.pager import Pager, opened
from services.catcher.sources.port import Handover
from services.catcher.sources.sweep import Sweep
from shared.event import Occasion

AGAIN_AFTER = timedelta(minutes=2)
"""When to look for what was recorded late."""


class Missed:
    """See `services.catcher.sources.port.Source`."""

    def __init__(
        self,
        pager: Pager,
        *,
        since: datetime,
        overlap: timedelta = OVERLAP,
        again_after: timedelta = AGAIN_AFTER,
    ) -> None:
        self.name = pager.name
        """See the port."""
        self.occasion = Occasion.NEWS
        """See the port: it has not reached anybody yet."""
        self._pager = pager
        self._since = since - overlap
        self._again_after = again_after
        self._looks = 2
        self._sweep: Sweep | None = None
        self._seen: set[str] = set()

    @property
    def trouble(self) -> str | None:
        """See the port."""
        return self._pager.trouble

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        """See the port."""
        while self._sweep is not None or self._looks:
            sweep = self._sweep or await self._look()
            page = await self._pager.next(sweep, most=most)
            items = [item for item in page.step.items if item.key not in self._seen]
            self._sweep = page.step.rest
            if items:
                self._seen.update(item.key for item in items)
                return Handover(tuple(map(opened, items)), None)
        return Handover((), None, last=True)

    async def done(self, handover: Handover) -> None:
        """See the port. There is no checkpoint: who is interrupted begins anew."""

    def leave(self) -> Handover | None:
        """See the port; it is read again from its beginning."""
        return None

    async def _look(self) -> Sweep:
        if self._looks == 1:
            await asyncio.sleep(self._again_after.total_seconds())
        self._looks -= 1
        await self._pager.until_answered(self._pager.reader.get_acquainted)
        return self._pager.reader.dialect.sweep(self._since, None)
