"""How the looking commands print: a table for people, one JSON object a line for programs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import click
import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDEST_WITHOUT_TERMINAL = 200
"""Columns for running text when the output is no terminal; tables take what they need."""
_GAP = 2
"""Blanks between two columns."""


class Format(StrEnum):
    """What `--format` takes."""

    TABLE = "table"
    JSON = "json"


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], format_: Format) -> None:
    """Print rows: all their keys as JSON, or `columns` of them as a table."""
    if format_ is Format.JSON:
        print_json(rows)
    else:
        print_table(rows, columns)


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print the given columns: whole values into a pipe, as wide as it is to a terminal."""
    if not rows:
        click.echo("nothing", err=True)
        return
    heads = [column.replace("_", " ") for column in columns]
    cells = [[cell(row.get(column)) for column in columns] for row in rows]
    needed = [max(map(cell_len, values)) for values in zip(heads, *cells, strict=True)]
    console = Console()
    if not console.is_terminal:
        console = Console(width=sum(needed) + len(needed) * _GAP)
    widths = fitting(needed, console.width - (len(needed) - 1) * _GAP)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for head, width in zip(heads, widths, strict=True):
        table.add_column(head, overflow="ellipsis", no_wrap=True, width=width)
    for row_cells in cells:
        table.add_row(*map(escape, row_cells))
    console.print(table)


def fitting(widths: Sequence[int], room: int) -> list[int]:
    """Return `widths` cut until they fit into `room`: the widest first, so that most stay whole."""
    fitted = list(widths)
    while sum(fitted) > room and max(fitted) > 1:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        click.echo(orjson.dumps(row, default=_plain, option=orjson.OPT_UTC_Z).decode())


def cell(value: Any) -> str:
    """Return a value as a table shows it: on one line, and harmless to the terminal.

    Names come from the users of a cloud; one may hold what moves the cursor or worse.
    """
    text = _text(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=_plain).decode()
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple | Mapping):
        return list(value) if isinstance(value, tuple) else dict(value)
    raise TypeError(f"cannot print {type(value).__name__} as JSON")
