"""Paths into a payload, compiled once into functions that are cheap to call for every event.

A path names a place in a payload as a JSON pointer without its first slash: `port/id`. A step `*`
walks a list: `ports/*/id`, a step `0` takes its first item. A path that ends in `|tail` keeps what
follows the last slash or colon of the value, as in Heat's old
`arn:openstack:heat::PROJECT:stacks/NAME/ID`. Two paths with a `+` between them give both texts with
a slash between them, `user_id+key_name`, for what has no id of its own.

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

WRAPPING = "_object.data"
"""How the key ends under which a versioned object has its data; before it stands whose it is."""
_TAIL = "|tail"
_AND = "+"
_WRAPPING_KEYS = 8
"""A versioned object's wrapping has name, namespace, version, data and perhaps changes."""


def wrapping_key(value: dict[str, Any]) -> str | None:
    """Return the key of the data of a versioned object, None when `value` is not one."""
    if len(value) <= _WRAPPING_KEYS:
        for key in value:
            if key.endswith(WRAPPING):
                return key
    return None


def unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a versioned object, or `value` itself when it is not one."""
    key = wrapping_key(value)
    if key is None:
        return value
    data = value[key]
    return data if type(data) is dict else {}


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
    places = tuple(_one_or_all(path) for path in paths)

    def collect(payload: dict[str, Any]) -> Sequence[str | None]:
        for get, get_all in places:
            if get:
                value = get(payload)
                if value is not None:
                    return (value,)
            elif get_all:
                values = get_all(payload)
                if values:
                    return values
        return ()

    return collect


def where(collect: Collector, words: Collector, starts: str) -> Collector:
    """Return a function that gives those texts beside which a word that begins so stands."""

    def collect_some(payload: dict[str, Any]) -> Sequence[str | None]:
        told = words(payload)
        if len(told) == 1:
            return collect(payload) if told[0] and told[0].startswith(starts) else ()
        pairs = zip(collect(payload), told, strict=False)
        return [text for text, word in pairs if word and word.startswith(starts)]

    return collect_some


def problem_of(path: str) -> str | None:
    """Return what is wrong with `path` as a path, None when it can be compiled."""
    if _AND in path:
        parts = path.split(_AND)
        return next(filter(None, map(problem_of, parts)), None) or (
            "a path with + cannot have a *" if "*" in path else None
        )
    steps = path.removesuffix(_TAIL).split("/")
    if not all(steps):
        return "a step of the path is empty"
    return "only one step of a path can be *" if steps.count("*") > 1 else None


@functools.lru_cache(maxsize=4096)
def _getter(path: str) -> Reader:
    if _AND in path:
        return _joined([_getter(part) for part in path.split(_AND)])
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
        if type(holder) is dict:
            value = holder.get(inner)
            if type(value) is str and value:
                return value
            if value is None and len(holder) > _WRAPPING_KEYS:
                return None
        return None if holder is None else walk(payload)

    return get


def _walker(steps: tuple[str, ...]) -> Reader:
    def get(payload: dict[str, Any]) -> str | None:
        return _text(_descend(payload, steps))

    return get


def _tail_of(get: Reader) -> Reader:
    def tail(payload: dict[str, Any]) -> str | None:
        value = get(payload)
        return value and (value.replace(":", "/").rpartition("/")[2] or None)

    return tail


def _joined(getters: Sequence[Reader]) -> Reader:
    def join(payload: dict[str, Any]) -> str | None:
        texts = [text for get in getters if (text := get(payload)) is not None]
        return "/".join(texts) if len(texts) == len(getters) else None

    return join


def _one_or_all(path: str) -> tuple[Reader | None, Collector | None]:
    steps = path.split("/")
    if "*" not in steps:
        return _getter(path), None
    star = steps.index("*")
    return None, _all(tuple(steps[:star]), tuple(steps[star + 1 :]))


def _all(head: tuple[str, ...], tail: tuple[str, ...]) -> Collector:
    def collect(payload: dict[str, Any]) -> Sequence[str | None]:
        items = _descend(payload, head)
        if type(items) is not list:
            return ()
        return [_text(_descend(item, tail)) for item in items]

    return collect


def _descend(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        value = _step(value, step)
        if value is None:
            break
    return value


def _step(value: Any, step: str) -> Any:
    if type(value) is dict:
        found = value.get(step)
        if found is not None or len(value) > _WRAPPING_KEYS:
            return found
        return unwrapped(value).get(step)
    return value[0] if type(value) is list and value and step == "0" else None


def _text(value: Any) -> str | None:
    """Return an id or a name as text: aggregates and chassis have numbers for ids."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None
