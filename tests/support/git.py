"""What belongs to the project, as git knows it."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*folders: str) -> set[str]:
    """Return the files of `folders`, new ones too, but for what git is told to ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}
