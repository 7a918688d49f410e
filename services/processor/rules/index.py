"""Which rules have to look at an event: found by its type, so that most are never looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.processor.rules.conditions import View
from services.processor.rules.model import Match, Rule
from shared.event import Event

_REMEMBERED = 10_000
"""Types kept. Unknown types are unbounded (Nova sends names of Python functions)."""


@dataclass(frozen=True, slots=True)
class Looking:
    """The rules that have to look at one type of event."""

    triggers: tuple[Rule, ...]
    """Those that it may make fire."""
    partners: tuple[Rule, ...]
    """Those that wait for it, or fire only after it."""
    fields: frozenset[str]
    """What their conditions read of the event, and of its payload."""
    payload: frozenset[str]

    def view(self, event: Event) -> View:
        """Return the event as their conditions see it."""
        return View(event, self.fields, self.payload)


_OF_ACTIONS = ("osevents.action.", "osevents.note")
"""What actions leave on the timeline: rules never look at it, or they would answer themselves."""
NOBODY = Looking((), (), frozenset(), frozenset())
"""What looks at most types."""


class RuleSet:
    """All rules that were loaded together; a value that is only ever replaced as a whole."""

    def __init__(self, rules: Sequence[Rule] = (), *, digest: str = "") -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in rules}
        self.digest = digest
        self._looking: dict[tuple[str, str], Looking] = {}
        enabled = [(number, rule) for number, rule in enumerate(rules) if rule.enabled]
        self._triggers = _ByType([(n, rule, rule.match) for n, rule in enabled])
        self._partners = _ByType([(n, rule, rule.partner) for n, rule in enabled if rule.partner])

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def memory(self) -> timedelta:
        """For how long, at most, an event can still make a difference."""
        return max((rule.memory for rule in self.rules), default=timedelta())

    def looking_at(self, event: Event) -> Looking:
        """Return the enabled rules that name the event's type; the rest of it is not looked at."""
        key = (event.type, event.canonical)
        looking = self._looking.get(key)
        if looking is None:
            if len(self._looking) >= _REMEMBERED:
                self._looking.clear()
            looking = self._looking[key] = self._find(event)
        return looking

    def _find(self, event: Event) -> Looking:
        if event.type.startswith(_OF_ACTIONS):
            return NOBODY
        triggers = self._triggers.naming(event)
        partners = self._partners.naming(event)
        if not triggers and not partners:
            return NOBODY
        matches: list[Match] = [rule.match for rule in triggers]
        matches += [rule.partner for rule in partners if rule.partner]
        conditions = [match.condition for match in matches if match.condition]
        fields = frozenset(name for condition in conditions for name in condition.fields)
        payload = frozenset(name for condition in conditions for name in condition.payload)
        return Looking(triggers, partners, fields, payload)


class _ByType:
    """Rules by the types that they name, so that a type met first does not ask all of them."""

    def __init__(self, named: Sequence[tuple[int, Rule, Match]]) -> None:
        self._exact: dict[str, list[tuple[int, Rule]]] = {}
        self._open: list[tuple[int, Rule, Match]] = []
        for number, rule, match in named:
            for name in match.types.exact:
                self._exact.setdefault(name, []).append((number, rule))
            if match.types.patterns:
                self._open.append((number, rule, match))

    def naming(self, event: Event) -> tuple[Rule, ...]:
        """Return the rules that name the event's type or canonical type, in their order."""
        found = dict(self._exact.get(event.type, ()))
        found |= dict(self._exact.get(event.canonical, ()))
        found |= {n: rule for n, rule, match in self._open if match.types.match(event)}
        return tuple(found[number] for number in sorted(found))
