"""The loader of named SQL."""

from importlib.resources import files

import pytest

from shared.store.statements import parse, statements

TOPICS = sorted(
    entry.name.removesuffix(".sql")
    for entry in (files("shared.store") / "sql").iterdir()
    if entry.name.endswith(".sql")
)


def test_a_statement_runs_from_its_name_to_the_next() -> None:
    text = "-- Head.\n\n-- name: one\n-- Says one.\nselect 1;\n\n-- name: two\n-- Two.\nselect 2;\n"

    assert parse(text) == {"one": "-- Says one.\nselect 1;", "two": "-- Two.\nselect 2;"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: one\nselect 1;", "'one' does not say what it is for"),
        ("-- name: one\n-- Says one.\n", "'one' holds no SQL"),
        (
            "-- name: one\n-- A.\nselect 1;\n-- name: one\n-- B.\nselect 2;",
            "'one' is defined twice",
        ),
    ],
)
def test_a_careless_file_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse(text)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_file_we_ship_can_be_loaded(topic: str) -> None:
    assert statements(topic)
