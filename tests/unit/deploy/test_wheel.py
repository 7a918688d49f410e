"""The wheel, which images are made from, brings everything that runs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.git import tracked

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as an image's build makes it; the back end is installed, nothing is downloaded."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = directory.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert packed == tracked("services", "shared")
    assert {Path(name).suffix for name in packed} == {".py", ".sql", ".yaml", ".typed"}


def test_osevents_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = (
        "import services, sys; assert services.__file__.startswith(sys.argv[1]), services.__file__;"
        "from services.cli.main import COMMANDS, cli;"
        "assert all(cli.get_command(None, name) for name in COMMANDS);"
        "from services.cli.main import run;"
        "assert run(['rules', 'show', 'day-one']) == 0;"
        "sys.exit(run(['catalogue', 'router.*']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "router.create" in done.stdout
