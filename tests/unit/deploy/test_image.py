"""The image is made of pinned packages and our wheel, and of nothing else."""

import re
import tomllib
from fnmatch import fnmatch
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.dockerfile import PATH as DOCKERFILE
from tests.support.dockerfile import instructions

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("image.lock", "build.lock")


def pins(lock: Path) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Return requirement and hashes of every pinned package."""
    text = re.sub(r"^\s*#.*$", "", lock.read_text(), flags=re.MULTILINE)
    found: dict[str, tuple[Requirement, frozenset[str]]] = {}
    for block in re.split(r"\n(?=\w)", text.strip()):
        requirement = Requirement(block.partition("\\")[0].strip())
        found[canonicalize_name(requirement.name)] = (
            requirement,
            frozenset(re.findall(r"--hash=(\S+)", block)),
        )
    return found


def needed(requirements: list[str]) -> set[str]:
    """Return the names of what has to be installed here for `requirements`, theirs included."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        found.add(name)
        for inner in requires(name) or ():
            waiting += [(Requirement(inner), one) for one in (requirement.extras or {""})]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_an_images_packages_are_those_that_the_tests_run_on(lock: str) -> None:
    tested = pins(ROOT / "requirements.lock")
    for name, (requirement, hashes) in pins(DEPLOY / lock).items():
        assert requirement.specifier == tested[name][0].specifier, f"{name}; run: make lock"
        assert hashes, name
        assert hashes <= tested[name][1], name


def test_the_image_holds_what_osevents_needs_and_no_tools() -> None:
    locked = {
        name
        for name, (requirement, _) in pins(DEPLOY / "image.lock").items()
        if requirement.marker is None or requirement.marker.evaluate()
    }

    assert locked == needed(PROJECT["dependencies"])


def test_the_build_finds_what_it_copies() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for name, text in instructions():
        if name == "COPY" and not text.startswith("--from"):
            for source in text.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(fnmatch(source, pattern) for pattern in allowed), source


def test_nothing_names_the_host_of_a_registry() -> None:
    for path in (DOCKERFILE, *(DEPLOY / lock for lock in LOCKS)):
        assert "://" not in path.read_text(), path


def test_the_build_is_described_with_the_version_that_it_makes() -> None:
    assert f"-t osevents:{PROJECT['version']} ." in DOCKERFILE.read_text()
