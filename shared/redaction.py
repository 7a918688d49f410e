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
"""Keys already judged harmless, so that a clean object costs one set comparison."""


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
    if not value.keys() <= _harmless:
        changed = {
            key: MARKER for key, item in value.items() if _hides(key) and _is_something(item)
        }
    if "value" in value or "content" in value:
        changed |= _named_in_a_row(value)
    for key, item in value.items():
        kind = type(item)
        if (kind is dict or kind is list) and item and key not in changed:
            clean = _redact_object(item) if kind is dict else _redact_list(item)
            if clean is not item:
                changed[key] = clean
    return {**value, **changed} if changed else value


def _redact_list(value: list[Any]) -> list[Any]:
    clean = [redact(item) if type(item) is dict or type(item) is list else item for item in value]
    return clean if any(new is not old for new, old in zip(clean, value, strict=True)) else value


def _named_in_a_row(value: dict[str, Any]) -> dict[str, Any]:
    names = [value.get(key) for key in _NAMES]
    if any(type(name) is str and _hides(name) for name in names):
        return {key: MARKER for key in _VALUES if _is_something(value.get(key))}
    return {}


def _hides(key: str) -> bool:
    if key in _harmless:
        return False
    if names_a_secret(key):
        return True
    if len(_harmless) >= _HARMLESS_REMEMBERED:
        _harmless.clear()
    _harmless.add(key)
    return False


def _is_something(item: Any) -> bool:
    return item is not None and item != "" and type(item) is not bool and item != MARKER
