"""When a service that keeps failing is left alone for a while: pure, time is passed in.

Closed, calls go through. After so many failures in a row it opens: nobody is asked, so that a
service that is down is not held down by us, and its callers do not wait for it. After a pause one
call goes through to see (half-open); it closes the circuit, or opens it for longer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When to open, and for how long."""

    failures: int = 10
    """In a row; retries count. A target that fails alone amid others that work opens nothing."""
    pause: timedelta = timedelta(seconds=5)
    """The first; each failed look doubles it."""
    longest_pause: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open circuit: since when, for which reason, and when the next look is due."""

    since: datetime
    reason: str
    look_at: datetime


class Breaker:
    """The circuit of one service."""

    def __init__(self, rule: BreakerRule) -> None:
        self.opened: Opened | None = None
        """None while calls go through."""
        self._rule = rule
        self._failures = 0
        self._pause = rule.pause
        self._looking = False

    def admit(self, now: datetime) -> bool:
        """Whether a call may be made; while open, one look after each pause, and nobody else."""
        if self.opened is None:
            return True
        if self._looking or now < self.opened.look_at:
            return False
        self._looking = True
        return True

    def worked(self) -> None:
        """Note that the service answered, also when it refused: it is alive."""
        self._failures = 0
        self._pause = self._rule.pause
        self._looking = False
        self.opened = None

    def failed(self, reason: str, now: datetime) -> None:
        """Note that a call got no answer, or one that says that the service cannot."""
        self._failures += 1
        if self.opened is not None:
            if self._looking:
                self._pause = min(self._pause * 2, self._rule.longest_pause)
                self.opened = Opened(self.opened.since, reason, now + self._pause)
            self._looking = False
        elif self._failures >= self._rule.failures:
            self.opened = Opened(now, reason, now + self._pause)

    def abandoned(self) -> None:
        """Note that a call was given up by its caller, and says nothing about the service."""
        self._looking = False
