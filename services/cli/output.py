"""How the looking commands print: a table for people, one JSON object a line for programs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDEST_WITHOUT_TERMINAL = 200
"""Columns to use when the output is no terminal, so that a pipe gets whole values."""


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
    """Print the given columns, as wide as the terminal allows."""
    if not rows:
        click.echo("nothing", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(cell(row.get(column))) for column in columns))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDEST_WITHOUT_TERMINAL)
    console.print(table)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        click.echo(orjson.dumps(row, default=_plain, option=orjson.OPT_UTC_Z).decode())


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
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
