"""Paths into a payload, compiled once into functions that are cheap to call for every event.

A path names a place in a payload as a JSON pointer without its first slash: `port/id`. A step `*`
walks a list: `ports/*/id`, a step `0` takes its first item. A path that ends in `|tail` keeps what
follows the last slash or colon of the value, as in Heat's old
`arn:openstack:heat::PROJECT:stacks/NAME/ID`.

Versioned objects (`{"nova_object.data": {...}}`) are walked through wherever a step does not find
its key, so that paths never name the wrapping. The payload itself must be unwrapped by the caller,
with `unwrapped`. Whatever the payload is, reading it never raises.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

Reader = Callable[[dict[str, Any]], str | None]
"""Returns the one text of a payload, None where there is none."""
Collector = Callable[[dict[str, Any]], Sequence[str | None]]
"""Returns the texts of a payload, in order; None for an item of a list that has none."""

_TAIL = "|tail"
_WRAPPING_KEYS = 8
"""A versioned object's wrapping has name, namespace, version, data and perhaps changes."""


def unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a versioned object, or `value` itself when it is not one."""
    if len(value) <= _WRAPPING_KEYS:
        for key, data in value.items():
            if key.endswith("_object.data"):
                return data if type(data) is dict else {}
    return value


def reader(paths: Sequence[str]) -> Reader | None:
    """Return a function that gives the first text found at any of `paths`; None without paths."""
    if not paths:
        return None
    getters = tuple(_getter(path) for path in paths)
    return functools.reduce(_either, getters)


def _either(get: Reader, get_other: Reader) -> Reader:
    def read(payload: dict[str, Any]) -> str | None:
        value = get(payload)
        return get_other(payload) if value is None else value

    return read


def collector(paths: Sequence[str]) -> Collector:
    """Return a function that gives the texts at the first of `paths` where there are any."""
    collectors = tuple(_collector(path) for path in paths)

    def collect(payload: dict[str, Any]) -> Sequence[str | None]:
        for get in collectors:
            values = get(payload)
            if values:
                return values
        return ()

    return collect


def problem_of(path: str) -> str | None:
    """Return what is wrong with `path` as a path, None when it can be compiled."""
    steps = path.removesuffix(_TAIL).split("/")
    if not all(steps):
        return "a step of the path is empty"
    return "only one step of a path can be *" if steps.count("*") > 1 else None


@functools.lru_cache(maxsize=4096)
def _getter(path: str) -> Reader:
    steps = tuple(path.removesuffix(_TAIL).split("/"))
    if path.endswith(_TAIL):
        return _tail_of(_walker(steps))
    match steps:
        case (key,):
            return _key(key)
        case (outer, inner):
            return _nested(outer, inner)
        case _:
            return _walker(steps)


def _key(key: str) -> Reader:
    def get(payload: dict[str, Any]) -> str | None:
        value = payload.get(key)
        if value is None or value == "":
            return None
        return value if type(value) is str else _text(value)

    return get


def _nested(outer: str, inner: str) -> Reader:
    """Return what `_walker` would, in fewer steps where it matters: Neutron's `port/id`."""
    walk = _walker((outer, inner))

    def get(payload: dict[str, Any]) -> str | None:
        holder = payload.get(outer)
        value = holder.get(inner) if type(holder) is dict else None
        return value if type(value) is str and value else walk(payload)

    return get


def _walker(steps: tuple[str, ...]) -> Reader:
    def get(payload: dict[str, Any]) -> str | None:
        value: Any = payload
        for step in steps:
            value = _step(value, step)
            if value is None:
                return None
        return _text(value)

    return get


def _tail_of(get: Reader) -> Reader:
    def tail(payload: dict[str, Any]) -> str | None:
        value = get(payload)
        return value and (value.replace(":", "/").rpartition("/")[2] or None)

    return tail


def _collector(path: str) -> Collector:
    if "*" not in path.split("/"):
        get = _getter(path)

        def collect_one(payload: dict[str, Any]) -> Sequence[str | None]:
            value = get(payload)
            return () if value is None else (value,)

        return collect_one
    before, _, after = path.partition("*")
    head = tuple(step for step in before.split("/") if step)
    tail = tuple(step for step in after.split("/") if step)

    def collect(payload: dict[str, Any]) -> Sequence[str | None]:
        items: Any = payload
        for step in head:
            items = _step(items, step)
        if type(items) is not list:
            return ()
        return tuple(_text(_descend(item, tail)) for item in items)

    return collect


def _descend(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:
    if type(value) is not dict:
        return value[0] if type(value) is list and value and step == "0" else None
    found = value.get(step)
    if found is None and len(value) <= _WRAPPING_KEYS:
        return unwrapped(value).get(step)
    return found


def _text(value: Any) -> str | None:
    """Return an id or a name as text: aggregates and chassis have numbers for ids."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None
