"""Clocks that stand still until told."""

from datetime import datetime, timedelta

from tests.support.events import NOON


class FixedClock:
    """A clock that moves only by `advance`."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the set time."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by
