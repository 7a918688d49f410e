"""What pydantic found wrong, in our words: where it stands, what it is, how to mend it.

Values are shown only where they cannot be secrets; the validators of `shared.runtime.values` mask
theirs.
"""

import difflib
from dataclasses import dataclass
from typing import Protocol, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Problem
from shared.runtime.document import Document, Location, show
from shared.runtime.overrides import Overrides

_SHAPES = {
    "missing": "is missing",
    "model_type": "must be a mapping of settings",
    "model_attributes_type": "must be a mapping of settings",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "invalid_key": "is no text, so it cannot name a setting",
    "too_short": "must not be empty",
}


class Placing(Protocol):
    """Knows where a value came from."""

    def of(self, location: Location) -> str:
        """Return how the place of the value at `location` is told."""
        ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where each value came from."""

    document: Document
    overrides: Overrides

    def of(self, location: Location) -> str:
        """Return the variable that set the value at `location`, else its line and path.

        For a value that is missing this is the nearest one around it.
        """
        line: int | None = None
        for length in range(len(location), 0, -1):
            part = location[:length]
            if part in self.overrides.variables:
                return self.overrides.variables[part]
            if part in self.document.lines:
                line = self.document.lines[part]
                break
        name = self.document.name
        if line is None and (variable := self._variable_near(location)):
            return f"{variable}, {show(location)}"
        if name is None:
            return show(location)
        return f"{name}{f':{line}' if line else ''} {show(location)}"

    def _variable_near(self, location: Location) -> str | None:
        """Return a variable that set a part of what is at `location`, or of what is around it."""
        return next(
            (
                name
                for length in range(len(location), 0, -1)
                for place, name in self.overrides.variables.items()
                if place[:length] == location[:length]
            ),
            None,
        )


def problems_of(error: ValidationError, root: type[BaseModel], places: Placing) -> list[Problem]:
    """Return one Problem for each thing that is wrong with the values of `root`."""
    found = error.errors(include_url=False)
    wrong_inside = {
        details["loc"][:length] for details in found for length in range(len(details["loc"]))
    }
    return [
        Problem(places.of(details["loc"]), _message(details, root))
        for details in found
        # pydantic counts only what is right, so that a list of wrong items is too short as well.
        if details["type"] != "too_short" or details["loc"] not in wrong_inside
    ]


def _message(details: ErrorDetails, root: type[BaseModel]) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "extra_forbidden":
        return _unknown(details["loc"], root)
    if kind in _SHAPES:
        return _SHAPES[kind]
    message = details["msg"].replace("Input should be", "must be")
    given = details["input"]
    return f"{message}, not {given!r}" if isinstance(given, str | int | float) else message


def _unknown(location: Location, root: type[BaseModel]) -> str:
    known = list(_model_at(root, location[:-1]).model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    if near:
        return f"is no setting; did you mean {near[0]}?"
    return f"is no setting; here are {', '.join(sorted(known))}"


def _model_at(root: type[BaseModel], location: Location) -> type[BaseModel]:
    """Return the section that holds what stands at `location`."""
    model = root
    for part in location:
        if isinstance(part, int):
            continue  # the items of a list are all of one section, found with its name
        annotation = model.model_fields[part].annotation
        inner = [annotation, *get_args(annotation)]
        model = next(t for t in inner if isinstance(t, type) and issubclass(t, BaseModel))
    return model
