"""The catalogue: finds what holds for an event type. Lookup does not scan what it has seen before.

Patterns are tried once for each type that occurs; after that a type is one dictionary lookup, so
that the number of catalogued types costs nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from shared.catalogue import convention
from shared.catalogue.model import Entry, Readings, Rule, TimelineRule, Twin
from shared.event import Action, Level, Phase

_T = TypeVar("_T")
_REMEMBERED = 10_000
"""Entries kept. Unknown types are unbounded (Nova sends names of Python functions)."""


class Catalogue:
    """Rules of all services. The more exact pattern wins; of two equal ones, the later."""

    def __init__(
        self,
        rules: Sequence[Rule],
        timeline: Sequence[TimelineRule],
        twins: Sequence[Twin],
        publishers: Mapping[str, str],
        namespaces: Mapping[str, str],
    ) -> None:
        self.rules = tuple(rules)
        self.timeline = tuple(timeline)
        self._publishers = dict(publishers)
        self._namespaces = dict(namespaces)
        self._rules = _Patterns(self.rules, lambda rule: rule.pattern)
        self._shown = _Patterns(self.timeline, lambda rule: rule.pattern)
        self._twins = _Patterns(twins, lambda twin: twin.pattern)
        self._entries: dict[tuple[str, str | None], Entry] = {}

    def lookup(self, event_type: str, service: str | None = None) -> Entry:
        """Return what holds for `event_type`; guessed, with `known` False, when no rule names it.

        `service` decides where several services use one name, as Neutron and Masakari do with
        `segment.create.end`.
        """
        key = (event_type, service)
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= _REMEMBERED:
                self._entries.clear()
            entry = self._entries[key] = self._entry(event_type, service)
        return entry

    def entries(self) -> list[Entry]:
        """Return what holds for everything that the data names, patterns included."""
        named = dict.fromkeys((rule.pattern, rule.service) for rule in self.rules)
        return [self.lookup(pattern, service) for pattern, service in named]

    def service_of_publisher(self, publisher: str) -> str:
        """Return the service that a `publisher_id` (`network.ctl1`) names, or `unknown`."""
        return self._publishers.get(re.split(r"[.:]", publisher, maxsplit=1)[0], "unknown")

    def service_of_namespace(self, namespace: str) -> str | None:
        """Return the service whose versioned objects begin with `namespace` (`nova`)."""
        return self._namespaces.get(namespace)

    def namespace_of_service(self, service: str) -> str | None:
        """Return the namespace of a service's versioned objects; None where it has none."""
        return next((name for name, of in self._namespaces.items() if of == service), None)

    def publisher_of_service(self, service: str) -> str:
        """Return how a `publisher_id` of that service begins; the service where none is known."""
        return next((name for name, of in self._publishers.items() if of == service), service)

    def _entry(self, event_type: str, service: str | None) -> Entry:
        rules = self._rules.matching(event_type)
        own = [rule for rule in rules if rule.service == service]
        shared = [rule for rule in rules if not rule.versioned_only]
        rule = next(iter([*own, *shared]), None)
        entry = _entry_of(rule or convention.guessed(event_type), event_type)
        shown = next(iter(self._shown.matching(event_type)), _AS_SAID)
        twin = next(iter(self._twins.matching(event_type)), None)
        return replace(
            entry,
            canonical=twin.name_of(event_type) if twin else event_type,
            known=rule is not None,
            category=shown.category or entry.category,
            level=_level(entry, shown.level),
        )


_AS_SAID = TimelineRule(pattern="*", category=None, level=None)


def _level(entry: Entry, shown: Level | None) -> Level:
    """Return critical for failures, detail for starts and audits, else what the data says."""
    if entry.phase is Phase.ERROR:
        return Level.CRITICAL
    if entry.phase is Phase.START or entry.action is Action.NONE:
        return Level.DETAIL
    return shown or entry.level


def _entry_of(rule: Rule, event_type: str) -> Entry:
    action = rule.action or convention.action_of(event_type)
    phase = rule.phase or convention.phase_of(event_type)
    return Entry(
        type=event_type,
        canonical=event_type,
        service=rule.service,
        kind=rule.kind,
        action=action,
        phase=phase,
        category=rule.category,
        level=Level.DETAIL,
        known=True,
        refresh=() if action is Action.NONE else rule.refresh,
        refresh_at_start=rule.refresh_at_start,
        complete=rule.complete,
        readings=Readings(rule),
    )


def type_pattern(pattern: str) -> re.Pattern[str]:
    """Return what matches the event types that `pattern` means, `*` standing for any text."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


class _Patterns(Generic[_T]):
    """Finds by event type: exact types in a dictionary, the few patterns with `*` one by one."""

    def __init__(self, values: Sequence[_T], pattern_of: Callable[[_T], str]) -> None:
        self._exact: dict[str, list[_T]] = {}
        self._open: list[tuple[re.Pattern[str], _T]] = []
        # Most letters that are not `*` first; of equals, the later first.
        ranked = sorted(
            enumerate(values), key=lambda item: (_letters(pattern_of(item[1])), item[0])
        )
        for _, value in reversed(ranked):
            pattern = pattern_of(value)
            if "*" in pattern:
                self._open.append((type_pattern(pattern), value))
            else:
                self._exact.setdefault(pattern, []).append(value)

    def matching(self, event_type: str) -> list[_T]:
        """Return all that match, the most exact first."""
        matching = [value for pattern, value in self._open if pattern.fullmatch(event_type)]
        return self._exact.get(event_type, []) + matching


def _letters(pattern: str) -> int:
    return len(pattern.replace("*", ""))
