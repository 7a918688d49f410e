"""JSON as OpenStack sends it: strict and fast as a rule, lenient where Python's writer was.

Python's `json` writes `NaN`, halves of surrogate pairs and integers of any length, which are no
JSON; such a notification is read all the same, with null, U+FFFD and a float in their place, since
nothing behind us (the bus, PostgreSQL) could hold them.
"""

import json
from typing import Any

import orjson

from shared.errors import UnreadableNotification

_DEEPEST = 200
"""orjson writes no more than 254 levels, and an event adds some of its own."""
_LONGEST_QUOTE = 80
_BEYOND_BIGINT = 2.0**63
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def parsed(text: bytes | str, what: str) -> Any:
    """Return the JSON value in `text`; raises UnreadableNotification naming `what`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _parsed_leniently(text, what, error)


def check_depth(value: Any, body: bytes) -> None:
    """Raise UnreadableNotification when `value`, which came in `body`, is nested too deeply."""
    if body.count(b"{") + body.count(b"[") > _DEEPEST:
        level = [value]
        for _ in range(_DEEPEST):
            level = [item for parent in level for item in _items(parent)]
        if level:
            raise UnreadableNotification(f"the message is nested deeper than {_DEEPEST} levels")


def settled(value: Any, what: str) -> tuple[Any, bytes]:
    """Return a value that another parser read, as `parsed` would have given it, and its JSON.

    Raises UnreadableNotification naming `what`.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        try:
            text = json.dumps(value, sort_keys=True, default=str).encode()
        except RecursionError as error:
            raise UnreadableNotification(
                f"{what} is nested deeper than {_DEEPEST} levels"
            ) from error
    value = parsed(text, what)
    check_depth(value, text)
    return (without_nul(value) if b"\\u0000" in text else value), text


def quoted(value: Any) -> str:
    """Return `value` for an error message: on one line, cut to a sane length."""
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


def without_nul(value: Any) -> Any:
    """Return `value` with U+FFFD for every NUL character, which PostgreSQL's jsonb refuses."""
    if type(value) is str:
        return value.replace("\0", _REPLACEMENT)
    if type(value) is list:
        return [without_nul(item) for item in value]
    if type(value) is dict:
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return value


def _parsed_leniently(text: bytes | str, what: str, strict: orjson.JSONDecodeError) -> Any:
    plain = text if isinstance(text, str) else _decoded(text, what)
    try:
        value = json.loads(plain, parse_constant=_no_number, parse_int=_bounded)
        return _without_halves(value)
    except ValueError as error:
        raise UnreadableNotification(
            f"{what} is not JSON: {strict}; it begins with {quoted(plain)}"
        ) from error
    except RecursionError as error:
        raise UnreadableNotification(f"{what} is nested deeper than {_DEEPEST} levels") from error


def _decoded(text: bytes, what: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise UnreadableNotification(
            f"{what} is not UTF-8: {error.reason} at byte {error.start} of {len(text)}"
        ) from error


def _items(value: Any) -> list[Any]:
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    return [item for item in inner if type(item) is dict or type(item) is list]


def _no_number(_name: str) -> None:
    """Return null for NaN and the infinities."""


def _bounded(digits: str) -> int | float:
    """Return an integer as it is while 64 bits hold it, else as a float."""
    number = float(digits)
    return int(digits) if abs(number) < _BEYOND_BIGINT else number


def _without_halves(value: Any) -> Any:
    """Return `value` with U+FFFD for what is half of a surrogate pair and so no character."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", errors="surrogatepass")
    return orjson.loads(text.decode("utf-16", errors="replace"))
