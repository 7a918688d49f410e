"""What a source held when it was first met: loaded beside the news, to the timeline only.

History is everything generated before the horizon of the first meeting
(`services.catcher.sources.polled`); what appears later, however old it claims to be, is no history.
Its events are marked (`Occasion.HISTORY`), so that nobody reacts to what is long past. It has a
checkpoint of its own, with the place within the page's last instant, so that a restart goes on
where it was. It asks only while the news rest and the bus is empty: what is new never waits for it.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.catcher.metrics import HistoryMetrics
from services.catcher.sources.pager import Pager, opened
from services.catcher.sources.polled import PolledSource
from services.catcher.sources.port import Checkpoint, Handover
from services.catcher.sources.sweep import TICK, Item, Sweep
from services.catcher.turn import Leisure
from shared.clock import Clock
from shared.event import Occasion

_RECENT = timedelta(minutes=1)


@dataclass(slots=True)
class Progress:
    """How fast history is loaded, and how long it will take: pure."""

    oldest: datetime | None
    """Where it begins; None when the API cannot tell."""
    until: datetime
    _samples: deque[tuple[datetime, int, datetime | None]] = field(default_factory=deque)
    _events: int = 0

    def add(self, now: datetime, events: int, reached: datetime | None) -> None:
        """Note that `events` more were loaded by `now`, up to the time `reached`."""
        self._events += events
        self._samples.append((now, self._events, reached))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RECENT:  # noqa: PLR2004
            self._samples.popleft()

    @property
    def per_second(self) -> float:
        """Events a second, of the last minute."""
        (began, before, _), (now, events, _) = self._samples[0], self._samples[-1]
        seconds = (now - began).total_seconds()
        return (events - before) / seconds if seconds > 0 else 0.0

    @property
    def share(self) -> float:
        """The loaded part of the span of time, from 0 to 1; 0 where nothing is known."""
        reached = self._samples[-1][2]
        if reached is None or self.oldest is None or self.until <= self.oldest:
            return 0.0
        return min(1.0, max(0.0, (reached - self.oldest) / (self.until - self.oldest)))

    @property
    def left(self) -> timedelta | None:
        """How long it will take if the rest is as dense as what was last read; None: unknown."""
        (began, _, before), (now, _, reached) = self._samples[0], self._samples[-1]
        if before is None or reached is None or reached <= before:
            return None
        return (now - began) * ((self.until - reached) / (reached - before))


@dataclass(frozen=True, slots=True)
class _Place:
    """How far history was read; what its checkpoint holds."""

    sweep: Sweep | None
    """None: to the end."""
    events: int

    def saved(self) -> dict[str, Any]:
        rest = {} if self.sweep is None else dict(self.sweep.saved())
        return {**rest, "events": self.events, "done": self.sweep is None}


class History:
    """A source (see `services.catcher.sources.port.Source`) that has an end."""

    def __init__(
        self,
        pager: Pager,
        checkpoint: Checkpoint,
        *,
        since: datetime | None,
        news: PolledSource,
        leisure: Leisure,
        metrics: HistoryMetrics,
        clock: Clock,
    ) -> None:
        self.name = pager.name
        """See the port."""
        self.occasion = Occasion.HISTORY
        """See the port."""
        self._pager = pager
        self._reader = pager.reader
        self._checkpoint = checkpoint
        self._since = since
        self._news = news
        self._leisure = leisure
        self._metrics = metrics
        self._clock = clock
        self._sweep: Sweep | None = None
        self._progress: Progress | None = None
        self._edge: dict[str, datetime | None] = {}
        self._events = 0

    @property
    def trouble(self) -> str | None:
        """See the port."""
        return self._leisure.held_up or self._pager.trouble

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        """See the port. The last handover may be empty."""
        sweep = self._sweep or await self._start()
        while sweep is not None:
            await self._leisure.come()
            page = await self._pager.next(sweep, most=most)
            items = self._new(page.step.items)
            self._sweep = sweep = page.step.rest
            if items or sweep is None:
                self._events += len(items)
                self._show(items)
                place = _Place(sweep, self._events)
                return Handover(tuple(map(opened, items)), place, last=sweep is None)
        return Handover((), _Place(None, self._events), last=True)

    async def done(self, handover: Handover) -> None:
        """See the port."""
        assert isinstance(handover.token, _Place)
        await self._checkpoint.save(handover.token.saved())
        if handover.last:
            self._metrics.at(self._reader.cloud, events=self._events, per_second=0.0, share=1.0)
            self._metrics.will_take(self._reader.cloud, timedelta())

    def leave(self) -> Handover | None:
        """See the port; the API shows again what is after the checkpoint."""
        return None

    async def _start(self) -> Sweep | None:
        """Return where to go on; None when there is nothing (more) to load."""
        await self._news.positioned.wait()
        first = self._news.first
        saved = await self._checkpoint.load()
        self._events = 0 if saved is None else saved["events"]
        if first is None or (saved is not None and saved["done"]):
            return None
        until = first - TICK
        if self._since is not None and self._since > until:
            return None
        await self._leisure.come()
        oldest = self._since
        if oldest is None and self._reader.dialect.can_limit:
            item = await self._pager.until_answered(self._reader.oldest)
            oldest = None if item is None else item.generated
        self._progress = Progress(oldest, until)
        if saved is None:
            return self._reader.dialect.sweep(self._since, until)
        return self._reader.dialect.restored(saved, until)

    def _new(self, items: tuple[Item, ...]) -> list[Item]:
        """Return what is new, and remember the last instant: a question asked anew begins there."""
        new = [item for item in items if item.key not in self._edge]
        if new:
            last = new[-1].generated
            kept = self._edge if last in self._edge.values() else {}
            self._edge = kept | {item.key: last for item in new if item.generated == last}
        return new

    def _show(self, items: list[Item]) -> None:
        progress = self._progress
        assert progress is not None, "there is one since the start"
        reached = next((item.generated for item in reversed(items) if item.generated), None)
        progress.add(self._clock.now(), len(items), reached or progress.until)
        self._metrics.at(
            self._reader.cloud,
            events=self._events,
            per_second=progress.per_second,
            share=progress.share,
        )
        if progress.left is not None:
            self._metrics.will_take(self._reader.cloud, progress.left)
