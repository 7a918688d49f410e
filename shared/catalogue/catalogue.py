"""The catalogue: finds what holds for an event type. Lookup does not scan what it has seen before.

Patterns are tried once for each type that occurs; after that a type is one dictionary lookup, so
that the number of catalogued types costs nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from shared.catalogue import convention
from shared.catalogue.model import Entry, Rule, TimelineRule, compiled
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
        publishers: Mapping[str, str],
        namespaces: Mapping[str, str],
    ) -> None:
        self.rules = tuple(rules)
        self.timeline = tuple(timeline)
        self._publishers = dict(publishers)
        self._namespaces = dict(namespaces)
        self._rules = _ranked([rule.pattern for rule in rules], self.rules)
        self._timeline = _ranked([rule.pattern for rule in timeline], self.timeline)
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

    def service_of_publisher(self, publisher: str) -> str:
        """Return the service that a `publisher_id` (`network.ctl1`) names, or `unknown`."""
        return self._publishers.get(re.split(r"[.:]", publisher, maxsplit=1)[0], "unknown")

    def service_of_namespace(self, namespace: str) -> str | None:
        """Return the service whose versioned objects begin with `namespace` (`nova`)."""
        return self._namespaces.get(namespace)

    def _entry(self, event_type: str, service: str | None) -> Entry:
        rules = [rule for pattern, rule in self._rules if pattern.fullmatch(event_type)]
        own = [rule for rule in rules if rule.service == service]
        shared = [rule for rule in rules if not rule.versioned_only]
        rule = next(iter([*own, *shared]), None)
        entry = _entry_of(rule or convention.guessed(event_type), event_type)
        if rule is None:
            return replace(entry, known=False)
        return self._shown(entry)

    def _shown(self, entry: Entry) -> Entry:
        """Return `entry` with category and level as the timeline rules have them."""
        for pattern, rule in self._timeline:
            if pattern.fullmatch(entry.type):
                return replace(
                    entry,
                    category=rule.category or entry.category,
                    level=rule.level or entry.level,
                )
        return entry


def _entry_of(rule: Rule, event_type: str) -> Entry:
    action = rule.action or convention.action_of(event_type)
    phase = rule.phase or convention.phase_of(event_type)
    return Entry(
        type=event_type,
        service=rule.service,
        kind=rule.kind,
        action=action,
        phase=phase,
        category=rule.category,
        level=Level.CRITICAL if phase is Phase.ERROR else Level.DETAIL,
        known=True,
        refresh=() if action is Action.NONE else rule.refresh,
        refresh_at_start=rule.refresh_at_start,
        complete=rule.complete,
        readings=compiled(rule),
    )


def _ranked(patterns: Sequence[str], values: Sequence[_T]) -> list[tuple[re.Pattern[str], _T]]:
    """Return the values by exactness: most letters that are not `*` first, then the later ones."""
    ranks = sorted(
        range(len(patterns)),
        key=lambda index: (
            "*" in patterns[index],
            -len(patterns[index].replace("*", "")),
            -index,
        ),
    )
    return [(_compiled_pattern(patterns[index]), values[index]) for index in ranks]


def _compiled_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
