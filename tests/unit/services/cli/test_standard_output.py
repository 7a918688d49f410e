"""Output that cannot be written ends a command with one line, never with a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

_COMMAND = [sys.executable, "-m", "services.cli.main"]
_FULL = Path("/dev/full")
_STORY = ("publish", "--scenario", "boot-storm", "--speed", "100000", "--to", "stdout")


@pytest.mark.skipif(not _FULL.exists(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("arguments", [("--help",), ("catalogue",), _STORY])
def test_a_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    with _FULL.open("w") as full:
        done = subprocess.run(
            [*_COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == "osevents: standard output takes no more: No space left on device\n"


def test_a_story_whose_reader_has_seen_enough_ends() -> None:
    with subprocess.Popen(
        [*_COMMAND, *_STORY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == "osevents: standard output takes no more: Broken pipe\n"
        assert process.wait() == 1
