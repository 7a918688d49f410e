"""What the looking commands print: for people and for programs."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.cli.output import Format, cell, fitting, print_rows
from shared.event import Level
from shared.resource import ResourceRef

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)
ROW: dict[str, Any] = {
    "at": NOON,
    "id": UUID(int=5),
    "level": Level.CRITICAL,
    "refs": ("a", "b"),
    "ref": ResourceRef("prod", "server", "1"),
    "object": {"deep": [1, None]},
    "name": "[bold]\N{SNOWMAN}",
}


def test_json_is_one_object_a_line_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW, ROW], ("at",), Format.JSON)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "at": "2026-11-23T12:00:00.123456Z",
        "id": "00000000-0000-0000-0000-000000000005",
        "level": "critical",
        "refs": ["a", "b"],
        "ref": ["prod", "server", "1"],
        "object": {"deep": [1, None]},
        "name": "[bold]\N{SNOWMAN}",
    }


def test_a_table_has_a_line_for_each_row_below_its_heads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_rows([ROW, {"name": "x" * 300}], ("at", "name", "absent_field"), Format.TABLE)

    heads, first, second = capsys.readouterr().out.splitlines()
    assert heads.split() == ["at", "name", "absent", "field"]
    assert first.split() == ["2026-11-23", "12:00:00.123", "[bold]\N{SNOWMAN}"]
    assert second.strip() == "x" * 300, "a pipe gets whole values"


@pytest.mark.parametrize(
    ("needed", "room", "given"),
    [
        ([5, 5], 10, [5, 5]),
        ([5, 30, 4], 20, [5, 11, 4]),
        ([30, 5, 36], 25, [10, 5, 10]),
        ([9, 9], 1, [1, 1]),
    ],
)
def test_a_narrow_terminal_costs_the_widest_columns_first(
    needed: list[int], room: int, given: list[int]
) -> None:
    assert fitting(needed, room) == given


def test_csv_has_a_column_for_each_field(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([ROW, {**ROW, "name": "-5"}], ("at",), Format.CSV)

    heads, first, second = capsys.readouterr().out.splitlines()
    assert heads == "at,id,level,refs,ref,object,name"
    assert first.startswith("2026-11-23T12:00:00.123456Z,00000000-0000-0000-0000-000000000005,crit")
    assert '"[""a"",""b""]"' in first
    assert second.endswith(",'-5"), "a spreadsheet takes it for no formula"


def test_no_row_is_said_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    for format_, said in ((Format.TABLE, "nothing\n"), (Format.JSON, ""), (Format.CSV, "")):
        print_rows([], ("at",), format_)
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", said)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "0"),
        (False, "False"),
        (1.25, "1.2"),
        (NOON, "2026-11-23 12:00:00.123"),
        ({"a": [1]}, '{"a":[1]}'),
        ("two\nlines", "two\N{REPLACEMENT CHARACTER}lines"),
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
        ("Zürich \N{SNOWMAN}", "Zürich \N{SNOWMAN}"),
    ],
)
def test_a_value_is_shown_on_one_line_and_harmless_to_the_terminal(
    value: object, shown: str
) -> None:
    assert cell(value) == shown
