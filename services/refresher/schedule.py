"""When a full pass of a kind is due: pure."""

from datetime import datetime, timedelta

from shared.store.passes import FullPass, PassState

START = "start"
"""Asks for the first pass of a kind ever, or since the cloud has it."""
SCHEDULE = "schedule"
CAME_BACK = "return"
"""Asks for a pass of a kind that the cloud did not have for a while, whose targets were let go."""
RETRY_AFTER = timedelta(minutes=1)
GO_ON_FOR = timedelta(hours=1)
"""How old the beginning of a failed pass may be for it to be gone on with."""


def asked_by(
    latest: FullPass | None, *, now: datetime, interval: timedelta, jitter: float
) -> str | None:
    """Return what a pass is due by, or None while it is not.

    `jitter` (about 1) spreads the kinds and the clouds over time. A pass that failed is tried again
    soon, since until then nothing repairs what events missed.
    """
    if latest is None or latest.state is PassState.ABSENT:
        return START
    if latest.finished_at is None:
        return None
    if latest.state is PassState.FAILED:
        again = latest.finished_at + min(interval, RETRY_AFTER) * jitter
        return (latest.asked_by if latest.asked_by == START else SCHEDULE) if now >= again else None
    return SCHEDULE if now >= latest.finished_at + interval * jitter else None


def goes_on(latest: FullPass, *, now: datetime, interval: timedelta) -> bool:
    """Tell whether a pass that is due goes on where the latest of its kind failed.

    A pass is as good as its beginning: what was lost since then can be on the pages that it has
    behind it. So it must be recent; and whoever asks meanwhile (a gap, a person) gets a new one.
    """
    if latest.state is not PassState.FAILED or latest.place is None or not latest.place.markers:
        return False
    return now - latest.place.began_at < min(interval, GO_ON_FOR)
