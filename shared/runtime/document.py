"""A YAML file as plain values, with the line of each, so that a problem can say where it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shared.errors import Misconfigured, Problem

Location = tuple[str | int, ...]
"""The keys and indexes that lead to a value: ("clouds", 0, "poll_interval")."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds."""

    name: str | None
    """How problems call the file; None when there is none."""
    value: dict[str, Any] = field(default_factory=dict)
    lines: dict[Location, int] = field(default_factory=dict)
    """Of each value, counted from 1; of an item of a mapping, where its key stands."""
    problems: tuple[Problem, ...] = ()
    """What YAML lets pass and people do not mean: keys given twice."""


def read_document(path: Path | None) -> Document:
    """Return what the file at `path` holds; raises Misconfigured when it cannot be read at all."""
    if path is None:
        return Document(None)
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _unusable(name, "there is no such file") from None
    except UnicodeDecodeError as error:
        raise _unusable(name, f"is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise _unusable(name, f"cannot be read: {error.strerror}") from error
    return _parse(name, text)


def show(location: Location) -> str:
    """Return `location` as people write it: clouds[0].poll_interval."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _parse(name: str, text: str) -> Document:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        # Before construction, which folds merge keys (<<) into the node.
        nodes = [] if node is None else list(_walk(node, (), ()))
        value = {} if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        # Not str(error): it quotes the line, and a password may stand there.
        mark = error.problem_mark
        place = name if mark is None else f"{name}:{mark.line + 1}"
        raise _unusable(place, f"is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _unusable(
            name, "is not YAML: it holds characters or values that YAML lacks"
        ) from None
    if not isinstance(value, dict):
        raise _unusable(name, "must be a mapping of settings, such as `database:` and its `url:`")
    lines: dict[Location, int] = {}
    problems = []
    for location, line in nodes:
        if location in lines:
            message = f"is given twice, first on line {lines[location]}"
            problems.append(Problem(f"{name}:{line} {show(location)}", message))
        lines[location] = line
    return Document(name, value, lines, tuple(problems))


def _walk(
    node: yaml.Node, location: Location, above: tuple[yaml.Node, ...]
) -> Iterator[tuple[Location, int]]:
    """Yield every location below `node` with its line; an alias that holds itself is cut."""
    if node in above:
        return
    inside = (*above, node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                continue
            place = (*location, key.value)
            yield place, key.start_mark.line + 1
            yield from _walk(value, place, inside)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            place = (*location, index)
            yield place, value.start_mark.line + 1
            yield from _walk(value, place, inside)


def _unusable(place: str, message: str) -> Misconfigured:
    return Misconfigured([Problem(place, message)])
