"""When a failed action is tried again, and when it is given up; pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from shared.backoff import Backoff

LONGEST_ASKED_FOR = timedelta(hours=24)
"""What a receiver's Retry-After may ask for; one that asks for a year is mistaken."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long, and how often, an action is tried.

    With the defaults about a dozen times: within seconds, minutes, an hour, then every few hours,
    close to the schedule that Standard Webhooks gives as its example.
    """

    backoff: Backoff = field(default_factory=lambda: Backoff(5.0, 3.0, 4 * 3600.0))
    retry_for: timedelta = timedelta(hours=24)

    def next_try(
        self,
        *,
        tries: int,
        since: datetime,
        now: datetime,
        after_seconds: float | None,
        random: Random,
    ) -> datetime | None:
        """Return when to try again after try number `tries` failed; None when the time is over.

        The time ends with a last try, `retry_for` after `since`. Never sooner than the receiver
        asked for (`after_seconds`), even where that is beyond the end.
        """
        end = since + self.retry_for
        if now >= end:
            return None
        wait = timedelta(seconds=self.backoff.delay_seconds(tries, random))
        due_at = min(now + wait, end)
        if after_seconds is None:
            return due_at
        # Before it is a timedelta, which holds no infinity.
        asked_for_seconds = min(LONGEST_ASKED_FOR.total_seconds(), after_seconds)
        return max(due_at, now + timedelta(seconds=asked_for_seconds))
