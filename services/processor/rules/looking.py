"""The first half of a decision, which needs nothing but the rule and the event."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.processor.rules.conditions import Condition, ConditionFailed, View
from services.processor.rules.index import RuleSet
from services.processor.rules.model import Match, Rule, field_of
from services.processor.rules.verdicts import EventRef, Outcome, Verdict
from shared.catalogue.catalogue import type_pattern
from shared.event import Event, Flavour

_PLAIN = re.compile(r"[\w./:@+-]+")


class Role(StrEnum):
    """What an event is to a rule."""

    TRIGGER = "trigger"
    """It may make it fire."""
    PARTNER = "partner"
    """The end of a start, the A before a B."""


class Candidate(NamedTuple):
    """An event that a rule has to do with, as far as can be told from the event alone."""

    rule: Rule
    role: Role
    event: Event
    key: str
    fact: str | None
    """Under which key the two forms of one fact meet; None where there cannot be two."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Whose doing an event is when it is our own."""

    users: frozenset[str] = frozenset()
    requests: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, users: Sequence[str], requests: Sequence[str]) -> "Guard":
        """Make one of user ids and of patterns (`*` is any text) of request ids."""
        return cls(frozenset(users), tuple(type_pattern(each) for each in requests))

    def caused(self, event: Event) -> str | None:
        """Return why the event is our own doing; None when it is not."""
        if event.user is not None and event.user in self.users:
            return f"user {event.user}"
        request = event.request_id
        if request is not None and any(each.fullmatch(request) for each in self.requests):
            return f"request {request}"
        return None


def look(rules: RuleSet, guard: Guard, event: Event) -> Iterator[Candidate | Verdict | None]:
    """Yield what the rules that name the event's type say of it: triggers first, then partners.

    None stands for the commonest answer, that the event is none of those a rule means; `unmatched`
    tells what did not fit.
    """
    looking = rules.looking_at(event)
    if not (looking.triggers or looking.partners):
        return
    view = looking.view(event)
    # A start before an end: an event that is both to a rule must not end itself.
    for rule in looking.triggers:
        yield _look(rule, Role.TRIGGER, rule.match, event, view, guard)
    for rule in looking.partners:
        assert rule.partner is not None, "it is indexed as having one"
        yield _look(rule, Role.PARTNER, rule.partner, event, view, guard)


def passed_over(rules: RuleSet, event: Event) -> Iterator[Verdict]:
    """Yield why the other rules were not looked at."""
    looking = rules.looking_at(event)
    looked = {rule.name for rule in (*looking.triggers, *looking.partners)}
    for rule in rules.rules:
        if not rule.enabled:
            yield _verdict(rule, event, Outcome.DISABLED)
        elif rule.name not in looked:
            yield _verdict(rule, event, Outcome.TYPE, f"the event is {event.canonical}")


def unmatched(rules: RuleSet, event: Event) -> Iterator[Verdict]:
    """Yield what did not fit, of the rules that `look` says None of."""
    looking = rules.looking_at(event)
    view = looking.view(event)
    for rule in looking.triggers:
        if failing := rule.match.failing_field(event):
            name, value = failing
            yield _verdict(rule, event, Outcome.MATCH, f"{name} is {value or 'not told'}")
        elif rule.match.condition is not None and _is_false(rule.match.condition, view):
            yield _verdict(rule, event, Outcome.CONDITION)


def _is_false(condition: Condition, view: View) -> bool:
    try:
        return not condition.holds(view)
    except ConditionFailed:
        return False


def key_of(rule: Rule, event: Event) -> str | None:
    """Return the key of the rule that the event belongs to; None when the event lacks a part.

    It names the cloud, since ids and hosts of two clouds may be equal.
    """
    if not rule.key:
        return ""
    parts = ["cloud=" + _quoted(event.cloud)]
    for name in rule.key:
        if name == "cloud":
            continue
        value = field_of(event, name)
        if value is None:
            return None
        parts.append(f"{name}={_quoted(value)}")
    return " ".join(parts)


def fact_of(event: Event) -> str | None:
    """Return the key under which both forms of the fact that the event tells would meet.

    Only Nova tells things twice (`notification_format = both`): once unversioned, once as
    versioned objects, under two types with one canonical name, about one server, at one time.
    """
    if event.service != "compute" or event.flavour is Flavour.CADF or event.subject is None:
        return None
    return f"~{event.canonical} cloud={_quoted(event.cloud)} subject={_quoted(str(event.subject))}"


def _look(
    rule: Rule, role: Role, match: Match, event: Event, view: View, guard: Guard
) -> Candidate | Verdict | None:
    if match.failing_field(event) is not None:
        return None
    if match.condition is not None:
        try:
            if not match.condition.holds(view):
                return None
        except ConditionFailed as error:
            return _verdict(rule, event, Outcome.ERROR, str(error))
    if refused := _unwanted(rule, event, guard):
        return refused
    key = key_of(rule, event)
    if key is None:
        missing = next(name for name in rule.key if field_of(event, name) is None)
        return _verdict(rule, event, Outcome.NO_KEY, f"the event has no {missing}")
    twice = role is Role.TRIGGER and not rule.each_form and not rule.knows_its_twins
    return Candidate(rule, role, event, key, fact_of(event) if twice else None)


def _unwanted(rule: Rule, event: Event, guard: Guard) -> Verdict | None:
    """Return why the rule leaves an event alone that it means; None when it does not."""
    if event.occasion not in rule.occasions:
        return _verdict(rule, event, Outcome.OCCASION, f"it is {event.occasion}")
    if event.synthetic and not rule.synthetic:
        return _verdict(rule, event, Outcome.SYNTHETIC)
    if not rule.own and (cause := guard.caused(event)):
        return _verdict(rule, event, Outcome.OWN, cause)
    return None


def _verdict(rule: Rule, event: Event, outcome: Outcome, detail: str = "") -> Verdict:
    return Verdict(rule.name, EventRef(event.cloud, event.id), outcome, event.time, "", detail)


def _quoted(text: str) -> str:
    """Return a part of a key so that no two keys read the same."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
