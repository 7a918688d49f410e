"""Loads the SQL of one class from `sql/<topic>.sql`.

A statement begins with `-- name: <name>`, goes on with at least one comment line saying what it is
for, and ends where the next begins. What several statements of a file share is a piece: it begins
with `-- piece: <name>` and stands wherever they say `-- include: <name>`. Statements take `$n`
parameters only; nothing else is ever pasted into them.
"""

import re
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_MARK = re.compile(r"^-- (name|piece):(.*)$", re.MULTILINE)
_INCLUDE = re.compile(r"^\s*-- include:(.*)$", re.MULTILINE)


@cache
def statements(topic: str) -> MappingProxyType[str, str]:
    """Return the statements of `sql/<topic>.sql` by name."""
    text = (files("shared.store") / "sql" / f"{topic}.sql").read_text(encoding="utf-8")
    return MappingProxyType(parse(text))


def parse(text: str) -> dict[str, str]:
    """Return the statements in `text` by name.

    Raises ValueError, naming the statement, for one without a purpose, without SQL, named twice, or
    that includes a piece which does not stand before it.
    """
    found: dict[str, str] = {}
    pieces: dict[str, str] = {}
    parts = _MARK.split(text)[1:]
    for mark, title, rest in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        name, body = title.strip(), _included(title.strip(), rest.strip(), pieces)
        if name in found or name in pieces:
            raise ValueError(f"the statement {name!r} is defined twice")
        if not body.startswith("--"):
            raise ValueError(f"the statement {name!r} does not say what it is for")
        if all(line.startswith("--") or not line for line in body.splitlines()):
            raise ValueError(f"the statement {name!r} holds no SQL")
        (found if mark == "name" else pieces)[name] = body
    return found


def _included(name: str, body: str, pieces: dict[str, str]) -> str:
    def piece(match: re.Match[str]) -> str:
        wanted = match[1].strip()
        if wanted not in pieces:
            raise ValueError(f"the statement {name!r} includes {wanted!r}, which is no piece")
        return pieces[wanted]

    return _INCLUDE.sub(piece, body)
