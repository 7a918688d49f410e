"""Which events were read already, and before which time there can be no more news: pure.

An event appears in the API under the time it was *generated*, perhaps later than others that were
generated after it: agents queue, several write at once, clocks differ. What comes late by no more
than the *overlap* is found because each sweep begins at the horizon: the time before which
everything is final. Three things keep it back:

* the newest event, less the overlap: something older by up to that much may still be on its way;
* how long ago a page was read: what was recorded since is not in it;
* how far the sweep has come.

What was read at or behind the horizon is remembered, so that it is told from news. The memory is
bounded by what the cloud generates within the overlap.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from services.catcher.sources.sweep import Item

OVERLAP = timedelta(seconds=60)
"""How late an event may appear."""
AHEAD = timedelta(seconds=5)
"""How far the cloud's clocks may be ahead of ours; what claims more says nothing of the time."""
_PRUNE_AT_LEAST = 10_000


class Horizon:
    """The horizon of one source; `since` None before anything was read of an empty one."""

    def __init__(self, since: datetime | None, overlap: timedelta = OVERLAP) -> None:
        self.since = since
        """Everything generated before it is final: read, or too late."""
        self.newest: datetime | None = None
        """When the newest event was generated that can be believed."""
        self._overlap = overlap
        self._pages: deque[tuple[datetime, datetime | None]] = deque()
        self._seen: dict[str, datetime | None] = {}
        self._prune_at = _PRUNE_AT_LEAST

    @property
    def remembered(self) -> int:
        """How many events are remembered."""
        return len(self._seen)

    def begin(self) -> None:
        """Begin a sweep: what earlier ones read when is of no more interest."""
        self._pages.clear()

    def news(self, items: Iterable[Item]) -> list[Item]:
        """Return the items that were not read before, and remember them."""
        fresh: list[Item] = []
        for item in items:
            if item.key not in self._seen:
                # Without a time it is about as old as its neighbours.
                self._seen[item.key] = item.generated or self.newest
                fresh.append(item)
        return fresh

    def read(
        self,
        items: Iterable[Item],
        *,
        covered: datetime | None,
        asked_at: datetime,
        now: datetime,
    ) -> None:
        """Note a page of the present sweep, new or known; `covered` as in `sweep.Step`."""
        for item in items:
            if item.generated is not None and item.generated <= now + AHEAD:
                self.newest = max(item.generated, self.newest or item.generated)
        self._pages.append((asked_at, covered))
        frontier = self._frontier(covered, now)
        if frontier is not None:
            self.since = max(frontier, self.since or frontier)
        if covered is None or len(self._seen) >= self._prune_at:
            self._forget()

    def _frontier(self, covered: datetime | None, now: datetime) -> datetime | None:
        """Return before which time everything is final, as far as this sweep has come."""
        if self.newest is None:
            return None
        settled = self.newest - self._overlap
        frontier = settled if covered is None else min(settled, covered)
        # A page shows what was recorded when it was asked for. By the cloud's time that was no
        # earlier than the newest event less what has passed since.
        for asked_at, page_covered in reversed(self._pages):
            if page_covered is not None and page_covered < frontier:
                break
            frontier = min(frontier, settled - max(now - asked_at, timedelta()))
        while self._pages and (first := self._pages[0][1]) is not None and first < frontier:
            self._pages.popleft()
        return frontier

    def _forget(self) -> None:
        """Forget what no sweep will meet again."""
        since = self.since
        if since is not None:
            self._seen = {
                key: time for key, time in self._seen.items() if time is not None and time >= since
            }
        self._prune_at = 2 * len(self._seen) + _PRUNE_AT_LEAST
