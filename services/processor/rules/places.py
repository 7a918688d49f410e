"""A rule file as plain values, with line and column of each, for messages that lead there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.errors import Misconfigured, Problem
from shared.runtime.document import Location, show

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class RuleDocument:
    """What one file holds, and where."""

    name: str
    value: Any = None
    text: tuple[str, ...] = ()
    """Its lines."""
    keys: dict[Location, yaml.Mark] = field(default_factory=dict)
    """Where each value is introduced: its key, or its first letter in a list."""
    values: dict[Location, yaml.Node] = field(default_factory=dict)
    twice: tuple[Location, ...] = ()
    """Keys that stand twice in one mapping, which YAML lets pass."""

    def of(self, location: Location) -> str:
        """Return file, line and column of the value at `location`, or of the nearest around it."""
        for length in range(len(location), 0, -1):
            mark = self.keys.get(location[:length])
            if mark is not None:
                return f"{self.name}:{mark.line + 1}:{mark.column + 1} {show(location)}"
        return f"{self.name}:1:1 {show(location)}".rstrip()

    def inside(self, location: Location, line: int, column: int) -> str:
        """Return the place of a letter of the text at `location`; `line` and `column` from 1."""
        node = self.values.get(location)
        if node is None:
            return self.of(location)
        mark, style = node.start_mark, getattr(node, "style", None)
        if style in ("|", ">"):
            row, column = self._in_block(mark.line + 1, line, column, folded=style == ">")
        else:
            row = mark.line + line - 1
            if line == 1:
                column += mark.column + (1 if style else 0)
        return f"{self.name}:{row + 1}:{column} {show(location)}"

    def _in_block(self, first: int, line: int, column: int, *, folded: bool) -> tuple[int, int]:
        """Return row (from 0) and column in the file of a letter of a block that begins there."""
        lines = self.text[first:]
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        row = line - 1
        if folded:  # its lines were joined by blanks
            while row + 1 < len(lines) and column > len(lines[row]) - indent + 1:
                column -= len(lines[row]) - indent + 1
                row += 1
        return first + row, column + indent


def read_rules(text: str, name: str) -> RuleDocument:
    """Return the document in `text`; raises Misconfigured, with the place, when it is no YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, C or Python
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise Misconfigured([Problem(place, f"is not YAML: {error.problem}")]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = "is not YAML: it holds characters or values that YAML lacks"
        raise Misconfigured([Problem(name, message)]) from error
    keys: dict[Location, yaml.Mark] = {}
    values: dict[Location, yaml.Node] = {}
    twice = []
    for location, mark, inner in _walk(node, (), ()):
        if location in keys:
            twice.append(location)
        keys[location], values[location] = mark, inner
    return RuleDocument(name, value, tuple(text.splitlines()), keys, values, tuple(twice))


def _walk(
    node: yaml.Node | None, location: Location, above: tuple[yaml.Node, ...]
) -> Iterator[tuple[Location, yaml.Mark, yaml.Node]]:
    """Yield every location below `node`; an alias that holds itself is cut."""
    if node is None or node in above:
        return
    inside = (*above, node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                place = (*location, key.value)
                yield place, key.start_mark, value
                yield from _walk(value, place, inside)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            place = (*location, index)
            yield place, value.start_mark, value
            yield from _walk(value, place, inside)
