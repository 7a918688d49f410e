"""Quiet hours: whether a moment falls into those that somebody wants to sleep through."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.processor.rules.model import QuietHours

_DAY = timedelta(days=1)


def is_quiet(hours: Sequence[QuietHours], moment: datetime) -> bool:
    """Tell whether `moment` (aware) lies in any of `hours`, by the clocks of their zones."""
    return any(_within(each, moment) for each in hours)


def _within(hours: QuietHours, moment: datetime) -> bool:
    local = moment.astimezone(hours.zone)
    now, today = local.time(), local.weekday()
    if hours.start < hours.end:
        return today in hours.days and hours.start <= now < hours.end
    # Over midnight, or round the clock: what began today, or yesterday and goes on.
    yesterday = (local.date() - _DAY).weekday()
    return (today in hours.days and now >= hours.start) or (
        yesterday in hours.days and now < hours.end
    )
