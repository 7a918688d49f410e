"""Durations are read and written as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta()),
        ("500ms", timedelta(milliseconds=500)),
        ("20s", timedelta(seconds=20)),
        ("1.5s", timedelta(seconds=1.5)),
        ("1m30s", timedelta(seconds=90)),
        ("6h", timedelta(hours=6)),
        ("180d", timedelta(days=180)),
        ("2w", timedelta(weeks=2)),
        (" 1h ", timedelta(hours=1)),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "20", "s", "20 s", "-1s", "1x", "1s ago", "20S", "1,5s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write for example 500ms"):
        parse_duration(text)


def test_a_duration_beyond_what_python_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="is too long"):
        parse_duration("1000000000000d")


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000)))
def test_what_is_written_is_read_back(duration: timedelta) -> None:
    exact = timedelta(milliseconds=round(duration / timedelta(milliseconds=1)))
    assert parse_duration(format_duration(duration)) == exact
