"""Time as an argument: the core never asks the operating system what time it is."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a component takes the time from."""

    def now(self) -> datetime:
        """Return the present time, aware and in UTC."""
        ...


class SystemClock:
    """The machine's own clock; what copies of a service compare goes by `FollowedClock`."""

    def now(self) -> datetime:
        """Return the present time, aware and in UTC."""
        return datetime.now(UTC)
