"""A fresh machine is set up with Python alone; a machine that is set up is left alone."""

import os
import sys
from pathlib import Path

import pytest

from deploy import setup_venv

Calls = list[list[str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What would be started; the pip that would install uv leaves a uv behind."""
    started: Calls = []

    def run(command: list[str], environment: dict[str, str]) -> None:
        assert environment
        started.append(command)
        if "-r" in command:
            started[-1] = [*command[:-1], Path(command[-1]).read_text()]
            Path(command[0]).with_name("uv").touch()

    monkeypatch.setattr(setup_venv, "_run", run)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")  # pip is not asked
    return started


@pytest.fixture
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("PIP_", "UV_", "XDG_", "SSL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def test_a_python_that_is_too_old_is_told_which_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    assert setup_venv.main([".venv"]) == 2
    assert "osevents needs Python 3.11 or later" in capsys.readouterr().err


def test_a_call_without_a_directory_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_venv.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_uv_is_installed_as_pinned_then_all_else_then_osevents(
    tmp_path: Path, calls: Calls
) -> None:
    assert setup_venv.main([str(tmp_path / "env")]) == 0
    pip, sync, install = calls
    assert pip[-1].startswith("uv==")
    assert "--hash=sha256:" in pip[-1]
    assert pip[-1].count("==") == 1, "nothing but uv"
    assert sync[1:3] == ["pip", "sync"]
    assert install[1:3] == ["pip", "install"]
    assert {"--editable", "--no-deps", "--no-build-isolation"} <= set(install)


def test_nothing_is_done_when_nothing_changed(tmp_path: Path, calls: Calls) -> None:
    setup_venv.main([str(tmp_path / "env")])
    calls.clear()
    assert setup_venv.main([str(tmp_path / "env")]) == 0
    assert calls == []


def test_a_new_lock_is_applied_to_what_is_there(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup_venv.main([str(tmp_path / "env")])
    calls.clear()
    lock = tmp_path / "requirements.lock"
    lock.write_text("other")
    monkeypatch.setattr(setup_venv, "_LOCK", lock)
    assert setup_venv.main([str(tmp_path / "env")]) == 0
    assert [command[1:3] for command in calls] == [["pip", "sync"], ["pip", "install"]]


@pytest.mark.parametrize("broken", ["bin/python", "bin/uv", ".made-from"])
def test_what_is_broken_is_made_anew(tmp_path: Path, calls: Calls, broken: str) -> None:
    environment = tmp_path / "env"
    setup_venv.main([str(environment)])
    calls.clear()
    (environment / broken).unlink()
    (environment / "leftover").touch()
    assert setup_venv.main([str(environment)]) == 0
    assert len(calls) == 3
    assert not (environment / "leftover").exists()


def test_a_directory_that_is_something_else_is_not_touched(
    tmp_path: Path, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").touch()
    assert setup_venv.main([str(tmp_path)]) == 1
    assert "is no virtual environment and not empty" in capsys.readouterr().err
    assert calls == []
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.usefixtures("no_configuration")
def test_uv_is_told_what_pip_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.example/x https://b.example/x")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    told = setup_venv.environment_for_uv()
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert told["UV_INDEX"] == "https://a.example/x https://b.example/x"
    assert told["UV_FIND_LINKS"] == "/wheels,/more"


@pytest.mark.usefixtures("no_configuration")
def test_what_uv_was_told_itself_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    (tmp_path / ".config/uv").mkdir(parents=True)
    (tmp_path / ".config/uv/uv.toml").touch()
    assert "UV_DEFAULT_INDEX" not in setup_venv.environment_for_uv()


@pytest.mark.usefixtures("no_configuration")
def test_without_any_configuration_uv_is_told_nothing_about_places() -> None:
    assert (
        not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"}
        & setup_venv.environment_for_uv().keys()
    )


def test_a_pip_is_found_that_runs_without_being_installed() -> None:
    assert setup_venv._find_pip().name == "pip"
