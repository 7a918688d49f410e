"""What the catalogue says: rules as the data files give them, entries as they apply to one type.

A *rule* is a line of the data: a pattern of event types and what holds for them. An *entry* is what
a rule (or, without one, convention) says of one event type, compiled for reading payloads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.catalogue.paths import Collector, Reader, collector, reader, where
from shared.event import Action, Flavour, Level, Phase

SUBJECT = "subject"
"""Where a refresh takes its key from: the event's subjects."""

TEXTS = ("name", "project", "user", "request_id", "host", "zone", "old_state", "state")
"""The texts of an event that are read from its payload."""

Paths = Mapping[Flavour, tuple[str, ...]]
"""Where something stands, best place first, for each flavour."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another object that the payload names."""

    kind: str
    id: Paths
    when: Paths = field(default_factory=dict)
    """Where stands the text that decides, e.g. a port's `device_owner`; empty: always."""
    starts: str = ""
    """What that text must begin with."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """What to read again after an event."""

    kind: str
    """Empty for the subject's own kind."""
    by: str
    """BY_ID, BY_KIND or a list filter of the API, as in `shared.target.Target`."""
    source: str
    """Where the key comes from: SUBJECT, or the kind of a related object."""
    everything_if_unnamed: bool
    """Read the whole kind when the event does not name the object."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the data says of all event types that match `pattern`."""

    pattern: str
    """An event type, `*` standing for any text."""
    service: str
    kind: str
    id: Paths
    kind_paths: Paths = field(default_factory=dict)
    """Where the payload names the subject's kind itself (Neutron's tags)."""
    kind_names: Mapping[str, str] = field(default_factory=dict)
    """What is found there -> kind."""
    texts: Mapping[str, Paths] = field(default_factory=dict)
    """TEXTS -> where they stand."""
    related: tuple[Related, ...] = ()
    action: Action | None = None
    """None: by convention from the type; likewise `phase`."""
    phase: Phase | None = None
    category: str = "other"
    refresh: tuple[Refresh, ...] = ()
    refresh_at_start: bool = False
    complete: tuple[str, ...] = ()
    """Where the payload holds the object as the API gives it, with its version."""
    versioned_only: bool = False
    """The type is another service's unless the payload is a versioned object of this one."""


@dataclass(frozen=True, slots=True)
class TimelineRule:
    """How all event types that match `pattern` show on a timeline."""

    pattern: str
    category: str | None
    level: Level | None


@dataclass(frozen=True, slots=True)
class Twin:
    """Two names for the same: what `pattern` matches goes by the name `canonical`.

    A `*` in both stands for the same text.
    """

    pattern: str
    canonical: str

    def name_of(self, event_type: str) -> str:
        """Return the canonical name of a type that matches the pattern."""
        before, _, after = self.pattern.partition("*")
        return self.canonical.replace("*", event_type[len(before) : len(event_type) - len(after)])


@dataclass(frozen=True, slots=True)
class Reading:
    """The compiled paths of one rule for one flavour."""

    subjects: Collector
    kind: Callable[[dict[str, Any]], str | None] | None
    related: tuple[tuple[str, Collector], ...]
    """Kinds and how to read their ids."""
    outcome: Reader | None
    """CADF says by it whether the operation begins, ended or failed; others do not have it."""
    texts: tuple[Reader | None, ...]
    """How to read each of TEXTS, in their order; None where this flavour does not tell it."""


class Readings(dict[Flavour, Reading]):
    """The readings of one rule by flavour, each compiled when it is first wanted."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        """The line of the data that they are read by."""

    def name_the_subject(self, flavour: Flavour) -> bool:
        """Tell whether a payload of that flavour says which object it is about."""
        return bool(self.rule.id.get(flavour))

    def __missing__(self, flavour: Flavour) -> Reading:
        self[flavour] = reading = _reading(self.rule, flavour)
        return reading


@dataclass(frozen=True, slots=True)
class Entry:
    """What holds for one event type."""

    type: str
    canonical: str
    """The name it goes by whichever of its names it came under."""
    service: str
    kind: str
    """The subject's kind; empty when the type has no subject, or the payload names the kind."""
    action: Action
    phase: Phase
    category: str
    level: Level
    known: bool
    refresh: tuple[Refresh, ...]
    refresh_at_start: bool
    complete: tuple[str, ...]
    readings: Readings = field(compare=False)


_WITH_OUTCOME = (Flavour.CADF, Flavour.TRAITS)


def _reading(rule: Rule, flavour: Flavour) -> Reading:
    return Reading(
        subjects=collector(rule.id.get(flavour, ())),
        kind=_kind_reader(rule, flavour),
        related=tuple(
            (related.kind, _related_ids(related, flavour))
            for related in rule.related
            if related.id.get(flavour)
        ),
        outcome=reader(("outcome",)) if flavour in _WITH_OUTCOME else None,
        texts=tuple(reader(rule.texts.get(name, {}).get(flavour, ())) for name in TEXTS),
    )


def _related_ids(related: Related, flavour: Flavour) -> Collector:
    ids, words = collector(related.id[flavour]), related.when.get(flavour)
    return where(ids, collector(words), related.starts) if words else ids


def _kind_reader(rule: Rule, flavour: Flavour) -> Reader | None:
    read = reader(rule.kind_paths.get(flavour, ()))
    if read is None:
        return None

    def kind(payload: dict[str, Any]) -> str | None:
        return rule.kind_names.get(read(payload) or "")

    return kind
