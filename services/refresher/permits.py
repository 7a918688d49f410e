"""Which kinds our credentials may not read: they are left alone for a while, and shown.

A 403 is an answer about us, not about the objects: nothing is deleted, no target is lost, and no
storm of dead letters says the same thousand times. Full passes try regardless.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAVE_ALONE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Denial:
    """A kind that may not be read."""

    since: datetime
    until: datetime
    """Then it is tried again."""
    reason: str


class Permits:
    """Of one cloud, as one copy learnt them."""

    def __init__(self) -> None:
        self._denials: dict[str, Denial] = {}
        self._worked: dict[str, datetime] = {}

    def worked(self, kind: str, now: datetime) -> None:
        """Note that the kind could be read."""
        self._worked[kind] = now
        self._denials.pop(kind, None)

    def refused(self, kind: str, reason: str, now: datetime, *, alone: bool) -> None:
        """Note a 403; one object `alone` condemns its kind only where nothing worked lately."""
        worked = self._worked.get(kind)
        if alone and worked is not None and now - worked < LEAVE_ALONE:
            return
        known = self._denials.get(kind)
        self._denials[kind] = Denial(known.since if known else now, now + LEAVE_ALONE, reason)

    def denied_until(self, kind: str, now: datetime) -> datetime | None:
        """Return when the kind may be tried again, None when it may now."""
        denial = self._denials.get(kind)
        return denial.until if denial and now < denial.until else None

    def denials(self) -> dict[str, Denial]:
        """Return what may not be read, by kind, until a try works."""
        return dict(self._denials)
