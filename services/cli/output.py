"""How the looking commands print: a table for people, JSON lines or CSV for programs."""

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
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
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_Function = TypeVar("_Function", bound=Callable[..., Any])
_FORMULAS = ("=", "+", "-", "@")
"""What spreadsheets take for the beginning of one."""


class Format(StrEnum):
    """What `--format` takes."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def format_option(
    text: str = "A table for people, one JSON object a line, or CSV.",
) -> Callable[[_Function], _Function]:
    """Return the option `--format`, which a command is given as `format_`."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice([format_.value for format_ in Format]),
        default=Format.TABLE.value,
        show_default=True,
        callback=lambda _context, _option, value: Format(value),
        help=text,
    )


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], format_: Format) -> None:
    """Print rows: all their keys as JSON or CSV, or `columns` of them as a table."""
    if format_ is Format.TABLE:
        print_table(rows, columns)
    elif format_ is Format.JSON:
        print_json(rows)
    elif rows:
        print_csv(rows)


def print_more(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], format_: Format) -> None:
    """Print rows below others that were printed with the same columns, without heads."""
    if format_ is Format.TABLE:
        print_table(rows, columns, heads=False)
    elif format_ is Format.JSON:
        print_json(rows)
    else:
        print_csv(rows, heads=False)


def print_csv(rows: Sequence[Mapping[str, Any]], *, heads: bool = True) -> None:
    """Print all keys of the first row as columns, as RFC 4180 has it.

    A text that a spreadsheet would take for a formula begins with an apostrophe: names come from
    the users of a cloud. Control characters become the replacement character.
    """
    writer = csv.writer(sys.stdout)
    if heads:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_csv_cell(row.get(name)) for name in rows[0]])
    sys.stdout.flush()


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, heads: bool = True
) -> None:
    """Print the given columns: whole values into a pipe, as wide as it is to a terminal."""
    if not rows:
        click.echo("nothing", err=True)
        return
    titles = [column.replace("_", " ") for column in columns]
    cells = [[cell(row.get(column)) for column in columns] for row in rows]
    needed = [max(map(cell_len, values)) for values in zip(titles, *cells, strict=True)]
    console = Console()
    if not console.is_terminal:
        console = Console(width=sum(needed) + len(needed) * _GAP)
    widths = fitting(needed, console.width - (len(needed) - 1) * _GAP)
    table = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0), show_header=heads
    )
    for title, width in zip(titles, widths, strict=True):
        table.add_column(title, overflow="ellipsis", no_wrap=True, width=width)
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
    return "".join(c if c.isprintable() else _REPLACEMENT for c in text)


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict | list | tuple):
        return orjson.dumps(value, default=_plain).decode()
    text = "".join(c if c.isprintable() or c == "\n" else _REPLACEMENT for c in str(value))
    return f"'{text}" if text.startswith(_FORMULAS) else text


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
