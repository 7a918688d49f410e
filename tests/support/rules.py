"""Rules from text, as users write them, and what the engine says of events in turn."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from textwrap import dedent
from typing import Any

from services.processor.rules.index import RuleSet
from services.processor.rules.load import load_rules
from shared.errors import Misconfigured, Problem


class AnyAction:
    """An action that takes whatever settings it is given."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """Find nothing wrong, but a setting called `wrong`."""
        return [Problem(f"{place} wrong", "is wrong")] if "wrong" in settings else []


KINDS = {"log": AnyAction()}


def rules(text: str) -> RuleSet:
    """Return the rules in a list of YAML; each may leave out its actions."""
    body = dedent(text).strip("\n")
    lines = ["rules:"]
    for line in body.splitlines():
        lines.append(line)
        if line.startswith("- "):
            lines.append("  actions: [log: ]")
    return load_rules([("rules.yaml", "\n".join(lines))], KINDS)


def problems(text: str) -> list[str]:
    """Return everything that is wrong with the text of a rule file."""
    try:
        load_rules([("rules.yaml", dedent(text).strip("\n"))], KINDS)
    except Misconfigured as error:
        return [str(problem) for problem in error.problems]
    return []


def times(moments: Iterable[datetime]) -> list[str]:
    """Return moments as people read them in a test."""
    return [f"{moment:%H:%M:%S}" for moment in moments]
