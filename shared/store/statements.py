"""Loads the SQL of one class from `sql/<topic>.sql`.

A statement begins with `-- name: <name>`, goes on with at least one comment line saying what it is
for, and ends where the next begins. Statements take `$n` parameters only; nothing is ever pasted
into them.
"""

from functools import cache
from importlib.resources import files
from types import MappingProxyType

_MARK = "-- name:"


@cache
def statements(topic: str) -> MappingProxyType[str, str]:
    """Return the statements of `sql/<topic>.sql` by name."""
    text = (files("shared.store") / "sql" / f"{topic}.sql").read_text(encoding="utf-8")
    return MappingProxyType(parse(text))


def parse(text: str) -> dict[str, str]:
    """Return the statements in `text` by name.

    Raises ValueError, naming the statement, for one without a purpose, without SQL, or named twice.
    """
    found: dict[str, str] = {}
    for part in f"\n{text}".split(f"\n{_MARK}")[1:]:
        title, _, rest = part.partition("\n")
        name, body = title.strip(), rest.strip()
        if name in found:
            raise ValueError(f"the statement {name!r} is defined twice")
        if not body.startswith("--"):
            raise ValueError(f"the statement {name!r} does not say what it is for")
        if all(line.startswith("--") or not line for line in body.splitlines()):
            raise ValueError(f"the statement {name!r} holds no SQL")
        found[name] = body
    return found
