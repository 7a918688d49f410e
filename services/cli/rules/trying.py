"""What `osevents rules test` and `why` say: rules over the stored timeline, running nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard, passed_over
from services.processor.rules.past import go_through, verdicts_on
from services.processor.rules.verdicts import SUPPRESSED, Outcome, Verdict
from shared.store.database import Database
from shared.store.rule_history import Decided

RULE_COLUMNS = ("rule", "fired", "suppressed", "errors", "keys", "first", "last", "why_not")
FIRING_COLUMNS = ("at", "rule", "key", "event", "cloud", "outcome")
WHY_COLUMNS = ("rule", "outcome", "detail", "key")

_FIRED = (Outcome.FIRED, Outcome.DRY_RUN)


@dataclass(slots=True)
class Tested:
    """What one rule came to."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    """Of its firings."""
    first: datetime | None = None
    last: datetime | None = None

    def add(self, said: Verdict) -> None:
        """Count one verdict."""
        self.outcomes[said.outcome] += 1
        if said.outcome in _FIRED:
            self.keys.add(said.key)
            self.first = said.at if self.first is None else min(self.first, said.at)
            self.last = said.at if self.last is None else max(self.last, said.at)

    def row(self, rule: str) -> dict[str, Any]:
        """Return it as it is printed."""
        kept = {str(why): n for why, n in sorted(self.outcomes.items()) if why in SUPPRESSED}
        return {
            "rule": rule,
            "fired": sum(self.outcomes[outcome] for outcome in _FIRED),
            "suppressed": sum(kept.values()),
            "errors": self.outcomes[Outcome.ERROR],
            "keys": len(self.keys),
            "first": self.first,
            "last": self.last,
            "why_not": ", ".join(f"{why} {n}" for why, n in kept.items()),
        }


async def tested(
    database: Database, rules: RuleSet, guard: Guard, *, since: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Return a row for each enabled rule, in their order."""
    found = {rule.name: Tested() for rule in rules.rules if rule.enabled}
    async for verdicts in go_through(database, rules, guard, since=since, now=now):
        for said in verdicts:
            if said.at >= since:
                found[said.rule].add(said)
    return [result.row(name) for name, result in found.items()]


async def firings(
    database: Database, rules: RuleSet, guard: Guard, *, since: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Return a row for each firing, in the order of time."""
    found = [
        said
        async for verdicts in go_through(database, rules, guard, since=since, now=now)
        for said in verdicts
        if said.at >= since and said.outcome in _FIRED
    ]
    return [
        {
            "at": said.at,
            "rule": said.rule,
            "key": said.key,
            "event": said.event.id,
            "cloud": said.event.cloud,
            "outcome": said.outcome,
        }
        for said in sorted(found, key=lambda said: (said.at, said.rule))
    ]


async def why_rows(
    database: Database, rules: RuleSet, guard: Guard, asked: Decided, *, now: datetime
) -> list[dict[str, Any]]:
    """Return what each rule said of an event: first those that fired, last those of other types."""
    said = await verdicts_on(database, rules, guard, asked, now=now)
    return [_why(verdict) for verdict in [*_by_weight(said), *passed_over(rules, asked.event)]]


def _by_weight(said: Iterable[Verdict]) -> list[Verdict]:
    return sorted(said, key=lambda verdict: verdict.outcome not in _FIRED)


def _why(said: Verdict) -> dict[str, Any]:
    return {
        "rule": said.rule,
        "outcome": said.outcome,
        "detail": said.detail,
        "key": said.key,
        "at": said.at,
    }
