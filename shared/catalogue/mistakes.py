"""What pydantic finds wrong with a catalogue file, in our words."""

import difflib
from collections.abc import Sequence

from pydantic_core import ErrorDetails

from shared.catalogue.schema import (
    CatalogueFile,
    EventsOfTypes,
    KindFrom,
    RefreshFields,
    RelatedFields,
    ShownAs,
)

_FIELDS = sorted(
    {
        field.alias or name
        for model in (CatalogueFile, EventsOfTypes, ShownAs, RelatedFields, RefreshFields, KindFrom)
        for name, field in model.model_fields.items()
    }
)
_SHAPES = {
    "missing": "is missing",
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "string_type": "must be text",
}


def told(details: ErrorDetails) -> str:
    """Return one mistake: the place in the file, what is wrong there, and the way out."""
    return f"{_place(details['loc'])}: {_message(details)}"


def _place(location: Sequence[str | int]) -> str:
    # pydantic calls the key of a mapping so, whose own name stands before.
    return ".".join(str(part) for part in location if part != "[key]") or "the file"


def _message(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(details["loc"][-1]), _FIELDS, n=1)
        return f"is no field here; did you mean {near[0]}?" if near else "is no field here"
    if kind in _SHAPES:
        return _SHAPES[kind]
    message = details["msg"].replace("Input should be", "must be")
    given = details["input"]
    return f"{message}, not {given!r}" if isinstance(given, str | int | float) else message
