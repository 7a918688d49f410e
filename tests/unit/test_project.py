"""Promises about the project as a whole that no single module can keep."""

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_LOCKED = re.compile(
    r"^([A-Za-z0-9._-]+)==\S+(?: ; [^\\\n]+)? \\\n(    --hash=sha256:[0-9a-f]{64})", re.MULTILINE
)
_REGISTRIES = [
    ".".join(words)  # in pieces, so that this file does not name them either
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("debian", "org", "debian"),
        ("archive", "ubuntu", "com"),
        ("npmjs", "org"),
        ("proxy", "golang", "org"),
    )
]


def _files() -> Iterator[tuple[Path, str]]:
    """Yield every text file that git knows, with its text."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this tree is no git checkout, so its own files cannot be told from others")
    for name in filter(None, listed.stdout.split("\0")):
        path = _ROOT / name
        if not path.is_file():
            continue
        try:
            yield path.relative_to(_ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _canonical(requirement: str) -> str:
    name = re.split(r"[<>=~!\[; ]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_wheel_holds_the_services_and_what_they_share(project: dict[str, Any]) -> None:
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [
        "services",
        "shared",
    ]


def test_every_dependency_is_pinned_by_hash_and_none_by_address(project: dict[str, Any]) -> None:
    lock = (_ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {_canonical(name) for name, _ in _LOCKED.findall(lock)}
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += project["build-system"]["requires"]
    assert {_canonical(name) for name in wanted} <= pinned
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", lock, re.MULTILINE)), (
        "something has no hash"
    )
    assert "://" not in lock


def test_no_file_says_where_packages_come_from() -> None:
    registry = re.compile("|".join(re.escape(host) for host in _REGISTRIES))
    assert [str(path) for path, text in _files() if registry.search(text)] == []


def test_nothing_is_left_to_do_in_the_code() -> None:
    mark = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    code = (".py", ".sh", ".sql", ".yaml")
    assert [str(path) for path, text in _files() if path.suffix in code and mark.search(text)] == []


def test_every_shell_script_can_be_read_by_bash() -> None:
    scripts = [path for path, _ in _files() if path.suffix == ".sh"]
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n", script], cwd=_ROOT, check=True)


def test_every_command_that_is_installed_explains_itself(project: dict[str, Any]) -> None:
    for target in project["project"]["scripts"].values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
        start = f"from {module} import {function}; {function}()"
        answer = subprocess.run(
            [sys.executable, "-c", start, "--help"],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        assert "Usage" in answer.stdout
