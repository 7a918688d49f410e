"""Secrets by reference: `env:NAME` or `file:PATH` stands in a rule, the secret itself elsewhere.

Within a longer text a reference stands in `${...}`: `Bearer ${env:TOKEN}`. What is stored, logged
or shown is always the reference; it is followed at every try, so that a changed secret counts.
"""

import os
import re
from pathlib import Path

from shared.errors import Transient

_NAMED = r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s${}]+"
_WHOLE = re.compile(_NAMED)
_WITHIN = re.compile(r"\$\{([^{}]*)\}")
_LARGEST_FILE = 64 * 2**10


class NoSecret(Transient):
    """A secret is not where its reference says; somebody may put it there."""


def is_reference(text: str) -> bool:
    """Tell whether `text` is one reference and nothing else."""
    return _WHOLE.fullmatch(text) is not None


def has_reference(text: str) -> bool:
    """Tell whether `text` is or holds a reference."""
    return is_reference(text) or _WITHIN.search(text) is not None


def check_references(text: str) -> str:
    """Return `text` when every `${...}` in it is a reference; ValueError names the one that is not.

    Whether there is a secret behind it is seen where the processor runs.
    """
    for inner in _WITHIN.findall(text):
        if not is_reference(inner):
            raise ValueError(f"${{{inner}}} is no reference; write ${{env:NAME}} or ${{file:PATH}}")
    return text


def reveal(text: str) -> str:
    """Return `text` with its references followed; never store or show it.

    Raises NoSecret, naming the reference.
    """
    if is_reference(text):
        return _follow(text)
    return _WITHIN.sub(lambda found: _follow(found[1]), text)


def _follow(reference: str) -> str:
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(name, "")
        if not value:
            raise NoSecret(f"{reference}: the environment variable {name} is not set")
        return value
    try:
        with Path(name).open(encoding="utf-8") as file:
            value = file.read(_LARGEST_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NoSecret(f"{reference}: the file cannot be read: {why}") from error
    if not value:
        raise NoSecret(f"{reference}: the file is empty")
    return value
