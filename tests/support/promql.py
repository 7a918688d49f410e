"""What a PromQL expression asks for: its series, and the labels that it speaks of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql


@dataclass(frozen=True, slots=True)
class Asked:
    """One series in an expression."""

    name: str
    matched: frozenset[str]
    """Labels that it is chosen by."""
    grouped: frozenset[str]
    """Labels that aggregations around it keep, or that `histogram_quantile` needs."""


def asked(text: str) -> list[Asked]:
    """Return every series that `text` asks for; ValueError when it is no PromQL."""
    return list(_walk(promql.parse(text), frozenset()))


def _walk(node: Any, grouped: frozenset[str]) -> Iterator[Asked]:
    match node:
        case promql.VectorSelector():
            matched = frozenset(matcher.name for matcher in node.matchers.matchers)
            yield Asked(node.name or "", matched, grouped)
        case promql.MatrixSelector():
            yield from _walk(node.vector_selector, grouped)
        case promql.AggregateExpr():
            inner = frozenset(node.modifier.labels) if node.modifier else frozenset()
            yield from _walk(node.expr, inner)
        case promql.BinaryExpr():
            yield from _walk(node.lhs, grouped)
            yield from _walk(node.rhs, grouped)
        case promql.Call():
            for argument in node.args:
                yield from _walk(argument, grouped)
        case promql.ParenExpr() | promql.UnaryExpr():
            yield from _walk(node.expr, grouped)
        case promql.NumberLiteral() | promql.StringLiteral():
            return
        case _:
            message = f"{type(node).__name__} is not looked into yet"
            raise TypeError(message)
