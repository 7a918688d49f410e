"""Comparisons that a condition stands or falls with, made without converting the event for CEL.

Most conditions say `event.project == "..." && ...` or `event.phase == "error" || ...`, and are
false for nearly every event. In CEL a false part makes a conjunction false whatever the rest of it
is, an error included; and a disjunction is false when all its parts are. So where each part of a
disjunction has such a comparison (a condition without `||` being one part), and none of them holds,
the condition is false.
"""

import re

_TEXT = r""" "[^"\n]*" | '[^'\n]*' """
_TOKEN = re.compile(
    rf"{_TEXT} | (?P<open>[(\[{{]) | (?P<close>[)\]}}]) | (?P<sign>&&|\|\||\?)", re.VERBOSE
)
_COMPARISON = re.compile(
    rf"\s* event\.(?P<field>[a-z_]+) \s*==\s* (?P<text>{_TEXT}) \s*", re.VERBOSE
)
_UNPLAIN = ("\\", '"""', "'''", "//")
"""Escapes, long texts and comments, or what may be one: such conditions are left to CEL."""
_NO_TEXT = frozenset({"time", "known", "synthetic", "subject", "related"})

Comparison = tuple[str, str]
"""A field of the event, and the text that it is compared with."""


def comparisons(source: str) -> tuple[Comparison, ...]:
    """Return comparisons of which one must hold, or else the condition is false; () for unknown.

    `source` is correct CEL.
    """
    if any(sign in source for sign in _UNPLAIN):
        return ()
    found = []
    for part in _parts(source):
        first = next(filter(None, map(_comparison, part)), None)
        if first is None:
            return ()
        found.append(first)
    return tuple(found)


def _comparison(text: str) -> Comparison | None:
    match = _COMPARISON.fullmatch(text)
    if match is None or match["field"] in _NO_TEXT:
        return None
    return match["field"], match["text"][1:-1]


def _parts(source: str) -> list[list[str]]:
    """Return what `||` joins, each as what `&&` joins, brackets unopened; [] for `? :`."""
    parts: list[list[str]] = [[]]
    depth = start = 0
    for token in _TOKEN.finditer(source):
        depth += bool(token["open"]) - bool(token["close"])
        if depth or not token["sign"]:
            continue
        if token["sign"] == "?":
            return []
        parts[-1].append(source[start : token.start()])
        start = token.end()
        if token["sign"] == "||":
            parts.append([])
    parts[-1].append(source[start:])
    return parts
