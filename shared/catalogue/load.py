"""From YAML files to a catalogue. Every mistake is reported with file and line, all at once.

`shared.catalogue.schema` says what a file holds, the files in `data/` show it.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shared.catalogue.catalogue import Catalogue
from shared.catalogue.expand import mistakes_in, rules_of, timeline_of, twins_of
from shared.catalogue.mistakes import told
from shared.catalogue.schema import CatalogueFile
from shared.errors import Misconfigured, Problem

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def builtin() -> Catalogue:
    """Return the catalogue that comes with osevents; reads it once."""
    return _catalogue(_builtin_files())


def load(paths: Sequence[Path]) -> Catalogue:
    """Return the built-in catalogue with the user's files on top.

    Where two patterns are equally exact, the user's wins. Raises Misconfigured with every problem
    of every file.
    """
    if not paths:
        return builtin()
    problems: list[Problem] = []
    files = list(_builtin_files())
    for path in paths:
        try:
            files.append(_parsed(path.read_text(encoding="utf-8"), str(path)))
        except OSError as error:
            problems.append(Problem(str(path), f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError as error:
            problems.append(Problem(str(path), f"is not UTF-8 text: {error.reason}"))
        except Misconfigured as error:
            problems.extend(error.problems)
    if problems:
        raise Misconfigured(problems)
    return _catalogue(files)


def parse(text: str, name: str) -> CatalogueFile:
    """Return the checked file whose content is `text`; raises Misconfigured with every problem."""
    return _parsed(text, name)


@cache
def _builtin_files() -> tuple[CatalogueFile, ...]:
    folder = resources.files("shared.catalogue") / "data"
    files = sorted((item.name, item) for item in folder.iterdir() if item.name.endswith(".yaml"))
    return tuple(_parsed(item.read_text(encoding="utf-8"), name) for name, item in files)


def _catalogue(files: Sequence[CatalogueFile]) -> Catalogue:
    return Catalogue(
        rules=[rule for file in files for rule in rules_of(file)],
        timeline=[rule for file in files for rule in timeline_of(file)],
        twins=[twin for file in files for twin in twins_of(file)],
        publishers={name: file.service for file in files for name in file.publishers},
        namespaces={file.namespace: file.service for file in files if file.namespace},
    )


def _parsed(text: str, name: str) -> CatalogueFile:
    try:
        node = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, C or Python
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured([Problem(f"{name}:{line}", f"not YAML: {error.problem}")]) from error
    except yaml.YAMLError as error:
        raise Misconfigured([Problem(name, f"not YAML: {error}")]) from error
    lines = dict(_lines(node, ()))
    try:
        file = CatalogueFile.model_validate({} if content is None else content)
    except ValidationError as error:
        problems = [
            Problem(f"{name}:{_line(lines, item['loc'])}", told(item)) for item in error.errors()
        ]
        raise Misconfigured(problems) from error
    problems = [
        Problem(f"{name}:{_line(lines, place)}", message) for place, message in mistakes_in(file)
    ]
    if problems:
        raise Misconfigured(problems)
    return file


def _lines(node: yaml.Node | None, place: tuple[str | int, ...]) -> Iterator[tuple[Any, int]]:
    """Yield (place in the document, line) for everything in it."""
    if node is None:
        return
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, key.value), key.start_mark.line + 1
            yield from list(_lines(value, (*place, key.value)))[1:]
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))


def _line(lines: Mapping[tuple[str | int, ...], int], place: Sequence[str | int]) -> int:
    """Return the line of `place`, or of the nearest thing around it that the text has."""
    for length in range(len(place), -1, -1):
        line = lines.get(tuple(place[:length]))
        if line is not None:
            return line
    return 1
