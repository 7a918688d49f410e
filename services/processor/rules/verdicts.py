"""What a rule says of one event: it fired, or the first thing that did not hold."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How it ended; the words are those of metrics and of `osevents rules why`."""

    FIRED = "fired"
    DRY_RUN = "dry_run"
    """It would have fired, but its file says `dry_run`."""

    DISABLED = "disabled"
    TYPE = "type"
    """The event is of another type."""
    MATCH = "match"
    """A field of the event (category, cloud, ...) is another one."""
    CONDITION = "condition"
    ERROR = "error"
    """The condition gave no answer."""

    OCCASION = "occasion"
    """History or a replay, which the rule does not ask for."""
    SYNTHETIC = "synthetic"
    OWN = "own"
    """Caused by osevents itself."""
    NO_KEY = "no_key"
    """The event lacks a field of the rule's key."""
    TWIN = "twin"
    """The same fact came before, in Nova's other format."""

    WAITING = "waiting"
    """It waits: for the end of this start, or for what may arrive late."""
    ENDED = "ended"
    """The end of this start was seen already."""
    CROWDED = "crowded"
    """So many starts of one key wait already that this one is not waited for."""
    COUNTING = "counting"
    """Not enough events of the key within the window yet."""
    NOT_SILENT = "not_silent"
    PARTNER = "partner"
    """The event is the other one of a correlation, and was taken note of."""

    QUIET = "quiet"
    ONCE = "once"
    COOLDOWN = "cooldown"
    THROTTLE = "throttle"


SUPPRESSED = frozenset(
    {
        Outcome.OCCASION,
        Outcome.SYNTHETIC,
        Outcome.OWN,
        Outcome.NO_KEY,
        Outcome.TWIN,
        Outcome.CROWDED,
        Outcome.QUIET,
        Outcome.ONCE,
        Outcome.COOLDOWN,
        Outcome.THROTTLE,
    }
)
"""The event was one for the rule, and something kept it from firing."""


class EventRef(NamedTuple):
    """Names an event of the timeline."""

    cloud: str
    id: str


class Verdict(NamedTuple):
    """One rule on one event."""

    rule: str
    event: EventRef
    outcome: Outcome
    at: datetime
    """In the time of the events: the event's own, or when a wait was over; UTC."""
    key: str = ""
    detail: str = ""
    """For people: the value that did not fit, how far a count is, ..."""
