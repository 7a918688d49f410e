"""Payloads made from the catalogue: the inverse of reading them. Pure.

Where the catalogue looks for an id, a name, a project, there a value is put, in the flavour that is
wanted; whatever else a service would send is left out. Reading what was made gives back what was
asked for, for every type that the catalogue knows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.catalogue.model import TEXTS, Entry, Related
from shared.catalogue.paths import WRAPPING
from shared.event import Flavour

ID = "id"
"""The field that names the subject; the others are TEXTS, and `<kind>_id` of related objects."""
_RELATED = "_id"
_LISTS = ("*", "0")

_CADF: dict[str, Any] = {
    "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
    "eventType": "activity",
    "outcome": "success",
    "initiator": {"typeURI": "service/security/account/user"},
}


def flavours_of(entry: Entry) -> tuple[Flavour, ...]:
    """Return the flavours in which the catalogue knows how to read this type, the usual first."""
    rule = entry.readings.rule
    places = [rule.id, *rule.texts.values(), *(related.id for related in rule.related)]
    return tuple(flavour for flavour in Flavour if any(paths.get(flavour) for paths in places))


def fields_of(entry: Entry, flavour: Flavour) -> tuple[str, ...]:
    """Return the fields that a payload of that flavour can hold, by what the catalogue reads."""
    rule = entry.readings.rule
    texts = [name for name in TEXTS if rule.texts.get(name, {}).get(flavour)]
    related = [related.kind + _RELATED for related in rule.related if related.id.get(flavour)]
    has_subject = (rule.kind or rule.kind_paths.get(flavour)) and rule.id.get(flavour)
    subject = [ID] if has_subject else []
    return tuple(dict.fromkeys([*subject, *texts, *related]))


def payload_of(
    entry: Entry, flavour: Flavour, values: Mapping[str, str], *, namespace: str = ""
) -> dict[str, Any]:
    """Return a payload that says `values`: of ID, of TEXTS, and `<kind>_id` of related objects.

    `namespace` says whose versioned object it is (`nova`). Raises KeyError for a field that a
    payload of this type and flavour cannot hold, ValueError for an id of too few parts.
    """
    rule = entry.readings.rule
    payload: dict[str, Any] = _copy(_CADF) if flavour is Flavour.CADF else {}
    for name, value in values.items():
        if name == ID:
            _put_at_best(payload, rule.id[flavour], value)
        elif name in TEXTS:
            _put_at_best(payload, rule.texts[name][flavour], value)
        else:
            _put_related(payload, _related(rule.related, name, flavour), flavour, value)
    if rule.kind_paths.get(flavour):
        _put_at_best(payload, rule.kind_paths[flavour], next(iter(rule.kind_names)))
    return _wrapped(payload, entry, namespace) if flavour is Flavour.VERSIONED else payload


def _related(related: Sequence[Related], name: str, flavour: Flavour) -> Related:
    for each in related:
        if each.kind + _RELATED == name and each.id.get(flavour):
            return each
    raise KeyError(name)


def _put_related(payload: dict[str, Any], related: Related, flavour: Flavour, value: str) -> None:
    _put_at_best(payload, related.id[flavour], value)
    if related.when.get(flavour):
        _put_at_best(payload, related.when[flavour], related.starts)


def id_parts(entry: Entry, flavour: Flavour) -> int:
    """Return of how many texts with a slash between them the subject's id is made; mostly 1."""
    return len(entry.readings.rule.id[flavour][0].split("+"))


def _put_at_best(payload: dict[str, Any], paths: Sequence[str], value: str) -> None:
    """Put `value` where the first of `paths` leads; raises ValueError when it has too few parts."""
    places = paths[0].split("+")
    parts = value.split("/", len(places) - 1)
    if len(parts) != len(places):
        raise ValueError(f"{value!r} is not written as {'/'.join(places)}, with a slash between")
    for place, part in zip(places, parts, strict=True):
        _put(payload, place.removesuffix("|tail").split("/"), part)


def _put(holder: dict[str, Any], steps: Sequence[str], value: str) -> None:
    """Put `value` where `steps` lead, making what is missing; a list on the way gets one item."""
    first, *rest = steps
    if not rest:
        holder[first] = value
    elif rest[0] not in _LISTS:
        _put(holder.setdefault(first, {}), rest, value)
    elif len(rest) == 1:
        holder[first] = [value]
    else:
        _put(holder.setdefault(first, [{}])[0], rest[1:], value)


def _wrapped(data: dict[str, Any], entry: Entry, namespace: str) -> dict[str, Any]:
    owner = namespace or entry.service
    return {
        f"{owner}_object.name": "SyntheticPayload",
        f"{owner}_object.namespace": owner,
        f"{owner}_object.version": "1.0",
        f"{owner}{WRAPPING}": data,
    }


def _copy(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(each) if isinstance(each, dict) else each for key, each in value.items()}
