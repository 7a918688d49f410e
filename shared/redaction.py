"""Takes secrets out of JSON values, by the names of their keys, before anything leaves the catcher.

OpenStack's notifications carry live tokens, CHAP passwords of volumes and boot scripts with
passwords in them (Nova's and Cinder's request specs, Cinder's raw attachment rows). What a key's
name calls a secret is replaced by MARKER, at any depth; absent secrets (null, empty) stay as they
are, so that one sees that nothing was there.
"""

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

_Key = TypeVar("_Key")

MARKER = "[removed]"
"""What stands where a secret stood."""

_PARTS = (
    "password", "passwd", "passphrase", "adminpass", "secret", "token", "privatekey", "apikey",
    "accesskey", "authkey", "authorization", "servicecatalog", "connectioninfo", "injectedfiles",
    "awscreds", "providerauth",
)  # fmt: skip
_WHOLE = frozenset({"connector", "cookie", "setcookie", "encryptionkey", "userdata", "chapauth"})
_NAMES, _VALUES = ("name", "key"), frozenset({"value", "content"})
"""Rows that name their secret: Cinder's `{"key": ..., "value": ...}`, CADF attachments."""

_CONTAINERS = frozenset({dict, list})
_REMEMBERED = 20_000
_harmless: set[str] = set()
"""Keys already judged harmless, so that a clean object costs one set comparison. _VALUES never
join: an object with one of them is always looked at."""


def redact(value: Any) -> Any:
    """Return `value` without secrets; the same object, untouched, where it has none."""
    if _is_clean(value):
        return value
    return _redact_object(value) if type(value) is dict else _redact_list(value)


@functools.lru_cache(maxsize=_REMEMBERED)
def names_a_secret(key: str) -> bool:
    """Tell whether what stands under `key` must not be shown: adminPass, X-Auth-Token, ..."""
    plain = "".join(letter for letter in key.lower() if letter.isalnum())
    return plain in _WHOLE or any(part in plain for part in _PARTS)


def _is_clean(value: Any) -> bool:
    """Tell quickly that nothing can be wrong with `value`; False only means: look closely."""
    if type(value) not in _CONTAINERS:
        return True
    pending = [value]
    for container in pending:
        if type(container) is not dict:
            items = container
        elif _harmless.issuperset(container):
            items = container.values()
        else:
            return False
        for item in items:
            if type(item) in _CONTAINERS:
                pending.append(item)  # noqa: PERF401 - a comprehension costs a fifth more here
    return True


def _redact_object(value: dict[str, Any]) -> dict[str, Any]:
    unsure = [key for key in value if key not in _harmless]
    changed = _inner_changes(value.items())
    if not _VALUES.isdisjoint(unsure):
        changed |= _named_in_a_row(value)
    for key in unsure:
        if _hides(key) and _is_something(value[key]):
            changed[key] = MARKER
    return {**value, **changed} if changed else value


def _redact_list(value: list[Any]) -> list[Any]:
    changed = _inner_changes(enumerate(value))
    return [changed.get(index, item) for index, item in enumerate(value)] if changed else value


def _inner_changes(items: Iterable[tuple[_Key, Any]]) -> dict[_Key, Any]:
    """Return what becomes of the objects and lists among `items`, where that is something else."""
    changed: dict[_Key, Any] = {}
    for key, item in items:
        if type(item) in _CONTAINERS:
            clean = redact(item)
            if clean is not item:
                changed[key] = clean
    return changed


def _named_in_a_row(value: dict[str, Any]) -> dict[str, Any]:
    names = [value.get(key) for key in _NAMES]
    if any(type(name) is str and names_a_secret(name) for name in names):
        return {key: MARKER for key in _VALUES if _is_something(value.get(key))}
    return {}


def _hides(key: str) -> bool:
    if key in _VALUES:
        return False
    if names_a_secret(key):
        return True
    if len(_harmless) >= _REMEMBERED:
        _harmless.clear()
    _harmless.add(key)
    return False


def _is_something(item: Any) -> bool:
    return item is not None and item != "" and type(item) is not bool and item != MARKER
