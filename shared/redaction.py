"""Takes secrets out of JSON values, by the names of their keys, before anything leaves the catcher.

OpenStack's notifications carry live tokens, CHAP passwords of volumes and boot scripts with
passwords in them (Nova's and Cinder's request specs, Cinder's raw attachment rows). What a key's
name calls a secret is replaced by MARKER, at any depth; absent secrets (null, empty) stay as they
are, so that one sees that nothing was there.
"""

from typing import Any

MARKER = "[removed]"
"""What stands where a secret stood."""

_PARTS = (
    "password", "passwd", "passphrase", "adminpass", "secret", "token", "privatekey", "apikey",
    "accesskey", "authkey", "authorization", "servicecatalog", "connectioninfo", "injectedfiles",
    "awscreds", "providerauth",
)  # fmt: skip
_WHOLE = frozenset({"connector", "cookie", "setcookie", "encryptionkey", "userdata", "chapauth"})
_NAMES, _VALUES = ("name", "key"), ("value", "content")
"""Rows that name their secret: Cinder's `{"key": ..., "value": ...}`, CADF attachments."""

_HARMLESS_REMEMBERED = 20_000
_harmless: set[str] = set()
"""Keys already judged harmless, so that a clean object costs one set comparison. _VALUES never
join: an object with one of them is always looked at."""


def redact(value: Any) -> Any:
    """Return `value` without secrets; the same object, untouched, where it has none."""
    if type(value) is dict:
        return _redact_object(value)
    if type(value) is list:
        return _redact_list(value)
    return value


def names_a_secret(key: str) -> bool:
    """Tell whether what stands under `key` must not be shown: adminPass, X-Auth-Token, ..."""
    plain = "".join(letter for letter in key.lower() if letter.isalnum())
    return plain in _WHOLE or any(part in plain for part in _PARTS)


def _redact_object(value: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if not _harmless.issuperset(value):
        changed = {
            key: MARKER for key, item in value.items() if _hides(key) and _is_something(item)
        }
        changed |= _named_in_a_row(value)
    for key, item in value.items():
        if type(item) is dict:
            clean: Any = _redact_object(item)
        elif type(item) is list:
            clean = _redact_list(item)
        else:
            continue
        if clean is not item and key not in changed:
            changed[key] = clean
    return {**value, **changed} if changed else value


def _redact_list(value: list[Any]) -> list[Any]:
    changed: list[Any] | None = None
    for index, item in enumerate(value):
        clean = redact(item)
        if clean is not item:
            changed = value.copy() if changed is None else changed
            changed[index] = clean
    return value if changed is None else changed


def _named_in_a_row(value: dict[str, Any]) -> dict[str, Any]:
    names = [value.get(key) for key in _NAMES]
    if any(type(name) is str and names_a_secret(name) for name in names):
        return {key: MARKER for key in _VALUES if _is_something(value.get(key))}
    return {}


def _hides(key: str) -> bool:
    if key in _harmless or key in _VALUES:
        return False
    if names_a_secret(key):
        return True
    if len(_harmless) >= _HARMLESS_REMEMBERED:
        _harmless.clear()
    _harmless.add(key)
    return False


def _is_something(item: Any) -> bool:
    return item is not None and item != "" and type(item) is not bool and item != MARKER
