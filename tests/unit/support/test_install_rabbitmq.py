"""The script that brings RabbitMQ: quick when it is there, clear when it cannot be had."""

import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_SCRIPTS = ("tests/support/install_rabbitmq.sh", "deploy/unpack_packages.sh")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The scripts in a tree of their own, and a PATH without apt and without Erlang."""
    for name in _SCRIPTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "mkdir", "rm"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _install(tree: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(tree / _SCRIPTS[0])]
    environment = {"PATH": str(tree / "bin")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_where_it_cannot_be_downloaded_it_says_what_to_install(tree: Path) -> None:
    answer = _install(tree)
    assert answer.returncode == 1
    assert "install the package rabbitmq-server" in answer.stderr
    assert "apt-get is not on this machine" in answer.stderr


def test_what_is_unpacked_already_is_not_downloaded_again(tree: Path) -> None:
    server = (
        tree / ".deps/rabbitmq/root/usr/lib/rabbitmq/lib/rabbitmq_server-1/sbin/rabbitmq-server"
    )
    server.parent.mkdir(parents=True)
    server.touch()
    (tree / ".deps/rabbitmq/patched").touch()
    answer = _install(tree)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
