"""A cloud's Events API as a source of news: asked again and again for what is new.

Each poll is a sweep from the horizon to the newest event (see `horizon`); what was read before is
passed over, so that nothing comes twice until a restart. After one, what was generated since the
saved horizon comes again, which the event's id makes harmless: the ids are not saved, because they
are many and each page would write them all (docs/decisions/0030-polling-by-horizon.md).

What the source held when it was first met, up to the horizon of then, is history and not ours:
`services.catcher.history` reads it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from services.catcher.sources.events_api import Reader
from services.catcher.sources.horizon import OVERLAP, Horizon
from services.catcher.sources.pager import Page, Pager, opened
from services.catcher.sources.port import Checkpoint, Handover, OnGap
from services.catcher.sources.sweep import Item, Sweep, text_of, time_of
from shared.backoff import Backoff
from shared.clock import Clock
from shared.event import Occasion

FASTEST = timedelta(seconds=1)
"""Between two polls while pages come full."""
LOOK_BACK = timedelta(minutes=10)
"""How far the clock of a cloud may lag behind ours where its newest event cannot be asked for."""
CHECK_INTERVAL = timedelta(minutes=10)
"""How soon an empty answer is questioned again."""


class Turn:
    """Who may ask the API: the news first, history while they rest."""

    def __init__(self) -> None:
        self._news_rest = asyncio.Event()

    def take(self) -> None:
        """Say that news are being read."""
        self._news_rest.clear()

    def leave(self) -> None:
        """Say that there are no news for now."""
        self._news_rest.set()

    async def history(self) -> None:
        """Return when no news are being read."""
        await self._news_rest.wait()


@dataclass(frozen=True, slots=True)
class Position:
    """How far the source was read; what its checkpoint holds."""

    since: datetime | None
    """The horizon: everything generated before is final. None while there was no event at all."""
    newest: datetime | None
    """When the newest event was generated that was read."""
    first: datetime | None
    """The horizon at the first meeting: what was generated before is history."""

    def saved(self) -> dict[str, Any]:
        """Return it as a checkpoint."""
        return {
            "since": text_of(self.since),
            "newest": text_of(self.newest),
            "first": text_of(self.first),
        }

    @classmethod
    def restored(cls, saved: Any) -> "Position":
        """Return what `saved` gave."""
        return cls(time_of(saved["since"]), time_of(saved["newest"]), time_of(saved["first"]))


class PolledSource:
    """See `services.catcher.sources.port.Source`."""

    def __init__(
        self,
        reader: Reader,
        checkpoint: Checkpoint,
        *,
        on_gap: OnGap,
        poll_interval: timedelta,
        clock: Clock,
        random: Random,
        backoff: Backoff,
        heard_elsewhere: datetime | None = None,
    ) -> None:
        self.name = reader.dialect.name
        """See the port."""
        self.occasion = Occasion.NEWS
        """See the port."""
        self.turn = Turn()
        """For whoever else asks the same API."""
        self.positioned = asyncio.Event()
        """Set once `first` is known, and saved."""
        self.first: datetime | None = None
        """What was generated before it is history; None: there was none."""
        self._reader = reader
        self._checkpoint = checkpoint
        self._on_gap = on_gap
        self._poll_interval = poll_interval
        self._pause = timedelta()
        self._heard_elsewhere = heard_elsewhere
        self._clock = clock
        self._pager = Pager(reader, name=self.name, clock=clock, random=random, backoff=backoff)
        self._horizon: Horizon | None = None
        self._sweep: Sweep | None = None
        self._found = 0
        self._check_at = clock.now()

    @property
    def trouble(self) -> str | None:
        """See the port."""
        return self._pager.trouble

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        """See the port. A page is there at once, so `wait` has nothing to wait for."""
        while True:
            horizon = self._horizon or await self._meet()
            sweep = self._sweep or await self._begin(horizon)
            self._sweep = sweep
            page = await self._pager.next(sweep, most=most)
            if self._pager.healed:
                # Before anything is taken that would hide what expired in the meantime.
                await self._check(horizon)
            items = self._take(page, horizon)
            if items:
                return Handover(
                    tuple(map(opened, items)),
                    Position(horizon.since, horizon.newest, self.first),
                )

    async def done(self, handover: Handover) -> None:
        """See the port."""
        if isinstance(handover.token, Position):
            await self._checkpoint.save(handover.token.saved())

    def leave(self) -> Handover | None:
        """See the port; the API shows again what is after the checkpoint."""
        return None

    async def _meet(self) -> Horizon:
        """Find out where to begin: at the checkpoint, or with what is new from now on."""
        saved = await self._checkpoint.load()
        await self._pager.until_answered(self._reader.get_acquainted)
        if saved is None:
            first = await self._pager.until_answered(self._first_horizon)
            position = first_position(first, self._heard_elsewhere)
            await self._checkpoint.save(position.saved())
        else:
            position = later_position(Position.restored(saved), self._heard_elsewhere)
        horizon = Horizon(position.since, OVERLAP)
        horizon.newest = position.newest
        self.first = position.first
        await self._look_for_gap(horizon)
        self._check_later()
        self._horizon = horizon
        self.positioned.set()
        return horizon

    async def _first_horizon(self) -> datetime | None:
        """Return where news begin; None where everything is new, because there is nothing yet."""
        if not self._reader.dialect.can_sort:
            return self._clock.now() - LOOK_BACK
        # The newest event's time, not our own clock's: the two may differ.
        newest = await self._reader.newest()
        if newest is None or newest.generated is None:
            return None
        return min(newest.generated, self._clock.now()) - OVERLAP

    async def _begin(self, horizon: Horizon) -> Sweep:
        """Return the next sweep when it is time for it."""
        self.turn.leave()
        await asyncio.sleep(self._pause.total_seconds())
        if self._clock.now() >= self._check_at:
            await self._check(horizon)
        self.turn.take()
        self._found = 0
        horizon.begin()
        return self._reader.dialect.sweep(horizon.since, None)

    def _take(self, page: Page, horizon: Horizon) -> list[Item]:
        """Take what is new out of a page, and move on."""
        step, now = page.step, self._clock.now()
        news = horizon.news(step.items)
        horizon.read(step.items, covered=step.covered, asked_at=page.asked_at, now=now)
        self._found += len(news)
        self._sweep = step.rest
        if step.rest is None:
            self._pause = next_pause(
                self._pause, busy=self._found >= page.limit, longest=self._poll_interval
            )
        if step.items:
            # Who answers with events need not be asked whether it may.
            self._check_at = now + CHECK_INTERVAL
        return news

    async def _check(self, horizon: Horizon) -> None:
        """Question the source again after trouble, or when it has long had nothing."""
        await self._pager.until_answered(self._reader.get_acquainted)
        await self._look_for_gap(horizon)
        self._check_later()

    def _check_later(self) -> None:
        self._pager.healed = False
        self._check_at = self._clock.now() + CHECK_INTERVAL

    async def _look_for_gap(self, horizon: Horizon) -> None:
        """Report when the source has forgotten the last that we read, and perhaps what followed."""
        last = horizon.newest
        if last is None or not self._reader.dialect.can_limit:
            return
        oldest = await self._pager.until_answered(self._reader.oldest)
        generated = last if oldest is None else oldest.generated
        if oldest is not None and (generated is None or generated <= last):
            return
        kept = "keeps no event" if oldest is None else f"keeps events since {generated} only"
        await self._on_gap(
            f"{self.name} {kept}, and we had read up to {last}: what came in between has expired"
        )
        horizon.newest = None
        await self._checkpoint.save(Position(horizon.since, None, self.first).saved())


def first_position(first: datetime | None, heard_elsewhere: datetime | None) -> Position:
    """Return where to begin at the first meeting, whose horizon is `first`.

    A cloud that was read through another source until `heard_elsewhere` has news since then.
    """
    if first is not None and heard_elsewhere is not None:
        first = min(first, heard_elsewhere - OVERLAP)
    return Position(first, None, first)


def later_position(saved: Position, heard_elsewhere: datetime | None) -> Position:
    """Return where to go on: at the checkpoint, unless another source was read after this one.

    What that one gave would come again, perhaps months of it.
    """
    if saved.since is None or heard_elsewhere is None:
        return saved
    since = heard_elsewhere - OVERLAP
    return saved if since <= saved.since else Position(since, None, saved.first)


def next_pause(last: timedelta, *, busy: bool, longest: timedelta) -> timedelta:
    """Return how long to wait for the next poll: little while there is much, then more and more."""
    shortest = min(FASTEST, longest)
    if busy:
        return shortest
    return min(longest, 2 * last) if last else longest
