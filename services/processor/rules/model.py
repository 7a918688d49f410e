"""What a rule is, once its file was read and checked: frozen values, compiled for deciding.

`services.processor.rules.schema` is the shape of the files, docs/reference/rules.md tells the
meaning of each field to those who write them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from services.processor.rules.conditions import Condition
from shared.event import Event, Occasion
from shared.firing import ActionSpec

LONGEST_GRACE = timedelta(hours=1)
TWIN_MEMORY = timedelta(hours=1)
"""How long the second form of a fact is waited for: queues of two topics drain separately."""


@dataclass(frozen=True, slots=True)
class Types:
    """Which event types, as sent or canonical."""

    exact: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    def match(self, event: Event) -> bool:
        """Tell whether the event's type, under either of its names, is one of these."""
        return self.has(event.type) or (event.canonical != event.type and self.has(event.canonical))

    def has(self, name: str) -> bool:
        """Tell whether a type is one of these."""
        return name in self.exact or any(each.fullmatch(name) for each in self.patterns)


@dataclass(frozen=True, slots=True)
class Match:
    """Which events; an empty set means any."""

    types: Types
    fields: tuple[tuple[str, frozenset[str]], ...] = ()
    """Names of fields of the event (and `kind`, of its subject), with the values that pass."""
    condition: Condition | None = None

    def failing_field(self, event: Event) -> tuple[str, str | None] | None:
        """Return the first field that does not pass, with what the event has there."""
        for name, wanted in self.fields:
            value = field_of(event, name)
            if value not in wanted:
                return name, value
        return None


@dataclass(frozen=True, slots=True)
class Without:
    """Fires when a matching event is not followed by one of these."""

    match: Match
    within: timedelta
    grace: timedelta
    """How much later it may still come, by its own time or by its arrival."""


@dataclass(frozen=True, slots=True)
class After:
    """Fires only when one of these came before, not longer ago than `within`."""

    match: Match
    within: timedelta
    grace: timedelta
    """How much later than the event it may arrive, since types overtake each other."""


@dataclass(frozen=True, slots=True)
class Count:
    """Fires at every `events`-th matching event, when those all happened `within`."""

    events: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Silence:
    """Fires only when no matching event happened for this long before."""

    before: timedelta


Correlation = Without | After | Count | Silence


@dataclass(frozen=True, slots=True)
class Throttle:
    """No more than `most` firings in any stretch of `within`."""

    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of some days of the week, in a time zone, in which a rule keeps quiet."""

    zone: ZoneInfo
    start: time
    end: time
    """Before the start: on the next day. Equal to it: a whole day."""
    days: frozenset[int]
    """On which they begin; Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule."""

    name: str
    """Unique among all files; its state and its firings go by it."""
    description: str = ""
    place: str
    """File and line, for people."""
    match: Match
    key: tuple[str, ...] = ()
    """Fields of the event by which it counts, throttles and correlates; empty: all together."""
    correlation: Correlation | None = None
    throttle: Throttle | None = None
    once_per: timedelta | None = None
    """Once in each stretch of this length, counted from the epoch (1d: a day, UTC)."""
    cooldown: timedelta | None = None
    """For this long after a firing it does not fire again."""
    quiet: tuple[QuietHours, ...] = ()
    enabled: bool = True
    dry_run: bool = False
    synthetic: bool = False
    """Whether synthetic events make it fire, too."""
    own: bool = False
    """Whether events that osevents itself caused make it fire, too."""
    each_form: bool = False
    """Whether both forms in which Nova tells one fact count."""
    occasions: frozenset[Occasion] = frozenset({Occasion.NEWS})
    actions: tuple[ActionSpec, ...] = ()
    digest: str = ""
    """Changes when what its state means changes: an older state is then forgotten."""
    memory: timedelta = field(init=False)
    """For how long after an event its state can still make a difference."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory", _memory_of(self))

    @property
    def partner(self) -> Match | None:
        """Which other events it has to see: the end of a start, the A before a B."""
        if isinstance(self.correlation, Without | After):
            return self.correlation.match
        return None

    @property
    def limited(self) -> bool:
        """Tell whether earlier firings decide about later ones."""
        return bool(self.throttle or self.once_per or self.cooldown)

    @property
    def knows_its_twins(self) -> bool:
        """Tell whether it needs no state of its own to pair the two forms of a fact.

        Starts of one object within two seconds are one start to it, whatever their form.
        """
        return isinstance(self.correlation, Without) and "subject" in self.key


def _memory_of(rule: Rule) -> timedelta:
    spans = [timedelta()]
    match rule.correlation:
        case Without(_, within, grace) | After(_, within, grace):
            spans.append(within + 2 * grace)
        case Count(_, within):
            spans.append(within)
        case Silence(before):
            spans.append(before)
        case None:
            pass
    if rule.throttle:
        spans.append(rule.throttle.within)
    spans += [span for span in (rule.once_per, rule.cooldown) if span]
    return max(spans)


def field_of(event: Event, name: str) -> str | None:
    """Return what the event has in a field that `match` and `key` may name."""
    return _READERS[name](event)


def _subject(event: Event) -> str | None:
    return str(event.subject) if event.subject else None


def _kind(event: Event) -> str | None:
    return event.subject.kind if event.subject else None


_READERS: dict[str, Callable[[Event], str | None]] = {
    "cloud": lambda event: event.cloud,
    "type": lambda event: event.canonical,
    "category": lambda event: event.category,
    "level": lambda event: event.level,
    "service": lambda event: event.service,
    "project": lambda event: event.project,
    "user": lambda event: event.user,
    "host": lambda event: event.host,
    "zone": lambda event: event.zone,
    "name": lambda event: event.name,
    "request_id": lambda event: event.request_id,
    "subject": _subject,
    "kind": _kind,
}
KEY_FIELDS = tuple(_READERS)
