"""Environment variables over the file: `OSEVENTS_CLOUDS__0__NAME` is clouds[0].name.

`OSEVENTS_` and the path in upper case, `__` between its parts, lists by index. The value is a YAML
value; with `_FILE` at the end the variable names a file that holds it, as Kubernetes mounts
secrets, and the text in that file is taken as it is, without the white space around it. An empty
variable counts as absent, because shells and compose files make them so easily.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shared.errors import Problem
from shared.runtime.document import Location, show

_PREFIX, _FILE = "OSEVENTS_", "_FILE"
_NO_SETTINGS = re.compile(
    # Which configuration file, and what our own tests use.
    r"OSEVENTS_(CONFIG|DATA|TEST_.*)"
    # Kubernetes describes every service of a namespace to every pod; one may be called osevents.
    r"|OSEVENTS_(?!.*__)([A-Z0-9_]+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_\w+)?)"
)


@dataclass(slots=True)
class Overrides:
    """The file's values with the environment's over them, and which variable set what."""

    value: dict[str, Any]
    variables: dict[Location, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def apply_overrides(value: Mapping[str, Any], environ: Mapping[str, str]) -> Overrides:
    """Return `value` overridden from `environ`; what cannot be applied becomes a problem."""
    result = Overrides(copy.deepcopy(dict(value)))
    names = [name for name, text in environ.items() if text and _is_setting(name)]
    for name in sorted(names, key=lambda name: (_order(_location(name)), name)):
        location = _location(name)
        if location in result.variables:
            message = f"sets the same value as {result.variables[location]}; unset one of them"
            result.problems.append(Problem(name, message))
            continue
        try:
            _put(result.value, location, _read(name, environ[name]))
        except ValueError as error:
            result.problems.append(Problem(name, str(error)))
        else:
            result.variables[location] = name
    return result


def variable_name(path: str) -> str:
    """Return the variable for a dotted path of settings, such as "database.url"."""
    return _PREFIX + path.upper().replace(".", "__")


def variables_for(path: str) -> set[str]:
    """Return every variable that may set the value at a dotted path."""
    return {variable_name(path), variable_name(path) + _FILE}


def _is_setting(name: str) -> bool:
    return name.startswith(_PREFIX) and not _NO_SETTINGS.fullmatch(name)


def _location(name: str) -> Location:
    parts = name.removeprefix(_PREFIX).removesuffix(_FILE).lower().split("__")
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _order(location: Location) -> list[tuple[bool, int, str]]:
    """Sort a whole before its parts, and indexes as numbers: clouds[10] after clouds[9]."""
    return [(False, part, "") if isinstance(part, int) else (True, 0, part) for part in location]


def _read(name: str, value: str) -> object:
    """Return what `name` says; ValueError when it names a file that cannot be read."""
    if name.endswith(_FILE):
        try:
            text = Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise ValueError(f"the file {value} cannot be used: {reason}") from error
        if not text:
            raise ValueError(f"the file {value} is empty")
        return text
    try:
        read = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        return value  # a password may well be no YAML
    # Text stays as it is, with what YAML would take for a comment, unless quotes say otherwise.
    return value if isinstance(read, str) and value[0] not in "\"'" else read


def _put(root: dict[str, Any], location: Location, value: object) -> None:
    """Set the value at `location`, making what is missing on the way."""
    *way, last = location
    container: Any = root
    for depth, part in enumerate(way):
        inner = _item(container, part, location[:depth])
        if inner is None:
            inner = [] if isinstance(location[depth + 1], int) else {}
            _set(container, part, inner, location[:depth])
        container = inner
    _set(container, last, value, location[:-1])


def _item(container: Any, part: str | int, where: Location) -> Any:
    """Return the item, None when there is none yet."""
    if isinstance(container, dict) and isinstance(part, str):
        return container.get(part)
    if isinstance(container, list) and isinstance(part, int):
        return container[part] if part < len(container) else None
    wanted = "a list" if isinstance(part, int) else "a mapping"
    raise ValueError(f"{show(where)} is not {wanted}, so it has no {part}")


def _set(container: Any, part: str | int, value: object, where: Location) -> None:
    _item(container, part, where)  # says so when the container is of the wrong kind
    if isinstance(part, int) and part == len(container):
        container.append(value)
    elif isinstance(part, int) and part > len(container):
        raise ValueError(
            f"{show(where)} holds {len(container)}, so the next index is {len(container)}"
        )
    else:
        container[part] = value
