"""The typed views of the inventory, one for each kind, generated from `columns.yaml`.

The generated SQL is a migration, the generated tables stand in docs/reference/inventory.md; tests
compare both with what this module makes of the description.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from shared.links import described as links_described

_CASTS = {
    "integer": "inventory.as_integer({})",
    "boolean": "inventory.as_boolean({})",
    "timestamptz": "inventory.as_time({})",
    "inet": "inventory.as_address({})",
    "text": "{}",
}
_FIRST = (
    ("cloud", "text", "cloud"),
    ("id", "text", "id"),
    ("name", "text", "name"),
    ("project_id", "text", "project"),
    ("status", "text", "status"),
)
_LAST = (
    ("object", "jsonb", "object"),
    ("first_seen", "timestamptz", "first_seen"),
    ("last_seen", "timestamptz", "seen_at"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a view."""

    name: str
    type: str
    paths: tuple[str, ...]
    """Where it stands in the object, best first."""
    remark: str = ""

    @property
    def sql(self) -> str:
        """The expression."""
        if self.type == "jsonb":
            found = [f"object #> {_array(path)}" for path in self.paths]
            return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        found = [f"nullif(object #>> {_array(path)}, '')" for path in self.paths]
        text = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        return _CASTS[self.type].format(text)


@cache
def described() -> Mapping[str, tuple[Column, ...]]:
    """Return the columns of every kind's view, beside those that all have."""
    text = (files("shared.store") / "columns.yaml").read_text(encoding="utf-8")
    return {
        kind: tuple(_column(name, *fields) for name, fields in columns.items())
        for kind, columns in yaml.safe_load(text).items()
    }


def view_of(kind: str) -> str:
    """Return the name of a kind's view: `servers`, `qos_policies`."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def views_sql() -> str:
    """Return the statements that make all views anew."""
    return "\n".join(_view(kind, columns) for kind, columns in described().items())


def markdown() -> str:
    """Return the tables of the reference page: the columns of each view, and the links."""
    tables = [_table(kind, columns) for kind, columns in described().items()]
    return "\n".join([*tables, _links_table()])


def _column(name: str, type_: str, paths: str | list[str], remark: str = "") -> Column:
    return Column(name, type_, (paths,) if isinstance(paths, str) else tuple(paths), remark)


def _array(path: str) -> str:
    return "'{" + ",".join(f'"{step}"' for step in path.split("/")) + "}'"


def _view(kind: str, columns: tuple[Column, ...]) -> str:
    name = f'inventory."{view_of(kind)}"'
    shown = [
        *(f"{sql} as {name}" if sql != name else name for name, _, sql in _FIRST),
        *(f'{column.sql} as "{column.name}"' for column in columns),
        *(f"{sql} as {name}" if sql != name else name for name, _, sql in _LAST),
    ]
    body = ",\n".join(f"    {line}" for line in shown)
    return (
        f"drop view if exists {name};\n"
        f"create view {name} as\nselect\n{body}\n"
        f"from resources\nwhere kind = '{kind}' and deleted_at is null;\n"
    )


def _table(kind: str, columns: tuple[Column, ...]) -> str:
    rows = [
        f"| `{column.name}` | {column.type} | {_places(column)} | {column.remark} |"
        for column in columns
    ]
    head = ["| column | type | in the object | |", "|---|---|---|---|"]
    return "\n".join([f"### inventory.{view_of(kind)}", "", *head, *rows, ""])


def _links_table() -> str:
    rows = [
        f"| {kind} | `{name}` | {' or '.join(kinds)} |" for kind, name, kinds in links_described()
    ]
    return "\n".join(
        ["## Links", "", "| of a | is called | leads to a |", "|---|---|---|", *rows, ""]
    )


def _places(column: Column) -> str:
    return " or ".join(f"`{path}`" for path in column.paths)
