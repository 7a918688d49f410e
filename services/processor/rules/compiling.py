"""From the fields of a rule file to a rule, ready for deciding."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from services.processor.rules.conditions import Condition
from services.processor.rules.model import (
    After,
    Correlation,
    Count,
    Match,
    QuietHours,
    Rule,
    Silence,
    Throttle,
    Types,
    Without,
)
from services.processor.rules.schema import DAYS, MatchFields, PartnerFields, RuleFields
from shared.catalogue.catalogue import type_pattern
from shared.firing import ActionSpec

_MATCHED = ("category", "level", "cloud", "project", "user", "host", "service", "kind")
_SHAPING = ("key", "without", "after", "count", "silence")


def rule_of(
    fields: RuleFields,
    conditions: Mapping[str, Condition],
    actions: Sequence[ActionSpec],
    place: str,
) -> Rule:
    """Return the rule; `conditions` has its own under "", that of its partner by name."""
    return Rule(
        name=fields.name,
        description=fields.description,
        place=place,
        match=_match(fields.match, conditions.get("")),
        key=_key(fields),
        correlation=_correlation(fields, conditions),
        throttle=Throttle(fields.throttle.most, fields.throttle.within)
        if fields.throttle
        else None,
        once_per=fields.once_per,
        cooldown=fields.cooldown,
        quiet=tuple(
            QuietHours(each.zone, each.start, each.end, frozenset(map(DAYS.index, each.days)))
            for each in fields.quiet
        ),
        enabled=fields.enabled,
        dry_run=fields.dry_run,
        synthetic=fields.synthetic,
        own=fields.own,
        each_form=fields.each_form,
        occasions=frozenset(fields.occasions),
        actions=tuple(actions),
        digest=_digest(fields),
    )


def _match(fields: MatchFields, condition: Condition | None) -> Match:
    exact = frozenset(each for each in fields.types if "*" not in each)
    patterns = tuple(type_pattern(each) for each in fields.types if "*" in each)
    told = {name: getattr(fields, name) for name in _MATCHED}
    return Match(
        types=Types(exact, patterns),
        fields=tuple((name, frozenset(values)) for name, values in told.items() if values),
        condition=condition,
    )


def _key(fields: RuleFields) -> tuple[str, ...]:
    """Return what the rule counts by: what it says, or the object where two events must agree."""
    if fields.key is not None:
        return tuple(fields.key)
    return ("subject",) if fields.without or fields.after else ()


def _correlation(fields: RuleFields, conditions: Mapping[str, Condition]) -> Correlation | None:
    if fields.without:
        partner = fields.without
        match = _partner(partner, conditions.get("without"))
        return Without(match, partner.within, partner.grace)
    if fields.after:
        partner = fields.after
        return After(_partner(partner, conditions.get("after")), partner.within, partner.grace)
    if fields.count:
        return Count(fields.count.events, fields.count.within)
    return Silence(fields.silence) if fields.silence else None


def _partner(fields: PartnerFields, condition: Condition | None) -> Match:
    return _match(fields, condition)


def _digest(fields: RuleFields) -> str:
    """Return what changes when stored state would be misread, and not with every word."""
    told = repr([getattr(fields, name) for name in _SHAPING])
    return sha256(told.encode()).hexdigest()[:16]
