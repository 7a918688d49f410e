"""From the readable lines of a catalogue file to rules, one for each pattern.

A file says things once: defaults for all its lines, shapes that lines start from, `$words` and
`{alternatives}`. Here all of that is written out.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.catalogue.model import SUBJECT, TEXTS, Refresh, Related, Rule, TimelineRule, Twin
from shared.catalogue.schema import CatalogueFile, EventsOfTypes, RefreshFields
from shared.event import Flavour
from shared.target import BY_KIND

_BRACES = re.compile(r"\{([^{}]*)\}")
_THE_SUBJECT = RefreshFields.model_validate({"from": SUBJECT}).model_dump()
_WORD = re.compile(r"\$\{?(\w+)\}?")


def timeline_of(file: CatalogueFile) -> Iterator[TimelineRule]:
    """Yield how the types of `file` show, in its order."""
    for shown in file.timeline:
        for pattern in _alternatives(shown.types):
            yield TimelineRule(pattern, shown.category, shown.level)


def twins_of(file: CatalogueFile) -> Iterator[Twin]:
    """Yield which types of `file` go by which other name."""
    for pattern, canonical in file.twins.items():
        yield Twin(pattern, canonical)


def rules_of(file: CatalogueFile) -> Iterator[Rule]:
    """Yield what `file` says of event types, in its order."""
    for event in file.events:
        fields = _fields(file, event)
        for words in event.each:
            said = _substituted(fields, words)
            for pattern in _alternatives(said["types"]):
                yield _rule(file, pattern, said)


def _fields(file: CatalogueFile, event: EventsOfTypes) -> dict[str, Any]:
    """Return what is said of `event`: its own fields over its shape's over the file's defaults.

    Where something stands is laid over one another flavour by flavour.
    """
    shape = file.shapes.get(event.shape or "")
    merged: dict[str, Any] = {}
    for layer in (file.defaults, shape, event):
        said = layer.model_dump(exclude_none=True, exclude={"shape", "each"}) if layer else {}
        for key, value in said.items():
            below = merged.get(key)
            flavoured = key == "id" or key in TEXTS
            merged[key] = {**below, **value} if flavoured and below else value
    return merged


def _rule(file: CatalogueFile, pattern: str, said: Mapping[str, Any]) -> Rule:
    kind_from = said.get("kind_from", {"paths": {}, "names": {}})
    return Rule(
        pattern=pattern,
        service=file.service,
        kind=said.get("kind", ""),
        id=_paths(said.get("id", {})),
        kind_paths=_paths(kind_from["paths"]),
        kind_names=kind_from["names"],
        texts={name: _paths(said[name]) for name in TEXTS if name in said},
        related=tuple(
            Related(item["kind"], _paths(item["id"]), _paths(item["when"]), item["starts"])
            for item in said.get("related", ())
        ),
        action=said.get("action"),
        phase=said.get("phase"),
        category=said.get("category", "other"),
        refresh=tuple(_refresh(item) for item in said.get("refresh", [_THE_SUBJECT])),
        refresh_at_start=said.get("refresh_at_start", False),
        complete=tuple(said.get("complete", ())),
        versioned_only=file.versioned_only,
    )


def _refresh(item: Mapping[str, Any]) -> Refresh:
    by, source = item["by"], item["source"]
    everything = by == BY_KIND or (item["missing"] or source) in (BY_KIND, SUBJECT)
    return Refresh(item["kind"], by, source, everything)


def _paths(said: Mapping[Flavour, Sequence[str]]) -> dict[Flavour, tuple[str, ...]]:
    return {flavour: tuple(paths) for flavour, paths in said.items() if paths}


def _substituted(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _substituted(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_substituted(item, words) for item in value]
    if type(value) is str and "$" in value:
        return _WORD.sub(lambda match: words[match[1]], value)
    return value


def _alternatives(patterns: Sequence[str]) -> list[str]:
    """Return the patterns with `a.{b,c}` written out as `a.b` and `a.c`."""
    expanded = []
    for pattern in patterns:
        parts = _BRACES.split(pattern)
        choices = [part.split(",") if odd % 2 else [part] for odd, part in enumerate(parts)]
        expanded += ["".join(choice).replace(" ", "") for choice in itertools.product(*choices)]
    return expanded


def mistakes_in(file: CatalogueFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what the schema cannot see: shapes that do not exist, words without a value."""
    for pattern, canonical in file.twins.items():
        if "*" in canonical and "*" not in pattern:
            yield ("twins", pattern), f"{canonical!r} has a *, but {pattern!r} has none for it"
    for index, event in enumerate(file.events):
        if event.shape is not None and event.shape not in file.shapes:
            known = ", ".join(sorted(file.shapes)) or "none"
            yield ("events", index, "shape"), f"no shape {event.shape!r}; shapes here: {known}"
        for words in event.each:
            missing = sorted(set(_WORD.findall(repr(_fields(file, event)))) - set(words))
            if missing:
                yield ("events", index, "each"), f"no value for ${', $'.join(missing)} in {words}"
