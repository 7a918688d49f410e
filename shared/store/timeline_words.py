"""The words of an event, for the search in free text: of its name, and of what went wrong."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_TELLING = (
    "message", "exception", "exception_message", "fault", "reason", "error", "error_message",
    "last_error", "fail_reason", "state_reason", "status_reason", "status_message",
)  # fmt: skip
"""Where services put it, flat, or deeper below one of these (Nova: below fault)."""
_WRAPPED = ".data"
"""How the key ends below which oslo.versionedobjects puts an object's fields."""
_WRAPPER_KEYS = 5
"""Beside the fields stand name, namespace, version and, in changes, what was changed."""
_DEEPEST = 6
_LONGEST_MESSAGE = 2000
_MOST_WORDS = 100
_LONGEST_WORD = 100


def message_of(payload: Any) -> str | None:
    """Return what a payload says in words about a failure or a state; None when it says nothing."""
    texts = dict.fromkeys(_telling(payload, 0))
    return "; ".join(texts)[:_LONGEST_MESSAGE] or None


def words_of(*texts: str | None) -> list[str]:
    """Return the words of `texts`, each once, in lower case: letters and digits that touch."""
    found = dict.fromkeys(word for text in texts if text for word in _words(text))
    return list(found)[:_MOST_WORDS]


@lru_cache(2000)
def _words(text: str) -> tuple[str, ...]:
    """Return the words of a text; names come again and again."""
    return tuple(word[:_LONGEST_WORD] for word in _WORD.findall(text.casefold()))


def query_of(text: str) -> str:
    """Return the tsquery for rows with all words of `text`, of which the last may go on.

    Only the last: what a frequent word begins would have to be gathered whole from the index.

    Raises ValueError when `text` has no word.
    """
    words = words_of(text)
    if not words:
        raise ValueError(f"{text!r} holds no word to look for")
    return " & ".join(f"'{word}'" for word in words) + ":*"


def _telling(value: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    for key in _TELLING:
        found = value.get(key)
        if isinstance(found, str) and found.strip():
            yield found.strip()
        elif isinstance(found, dict):
            yield from _telling(found, depth + 1)
    if len(value) <= _WRAPPER_KEYS:
        for key, found in value.items():
            if isinstance(found, dict) and key.endswith(_WRAPPED):
                yield from _telling(found, depth + 1)
