"""Secrets by reference."""

from pathlib import Path

import pytest

from services.processor.actions.references import NoSecret, reveal


def test_a_reference_is_followed_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKEN", "one")
    file = tmp_path / "secret"
    file.write_text("two\n")

    assert reveal("env:TOKEN") == "one"
    assert reveal(f"file:{file}") == "two"
    assert reveal(f"Bearer ${{env:TOKEN}}.${{file:{file}}}") == "Bearer one.two"
    monkeypatch.setenv("TOKEN", "three")
    assert reveal("env:TOKEN") == "three"


def test_text_without_a_reference_stays_as_it_is() -> None:
    assert reveal("environment: env:TOKEN is set by $HOME") == (
        "environment: env:TOKEN is set by $HOME"
    )


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("env:NOT_SET", "the environment variable NOT_SET is not set"),
        ("file:/no/such/file", "the file cannot be read: No such file or directory"),
    ],
)
def test_a_secret_that_is_not_there_is_told_by_its_reference(reference: str, told: str) -> None:
    with pytest.raises(NoSecret, match=told):
        reveal(f"Bearer ${{{reference}}}")
