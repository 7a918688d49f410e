"""deploy/Dockerfile as a list of instructions."""

import re
import shlex
from functools import cache
from pathlib import Path

PATH = Path(__file__).parents[2] / "deploy" / "Dockerfile"


@cache
def instructions() -> tuple[tuple[str, str], ...]:
    """Return each instruction with its text, continued lines joined, comments left out."""
    lines = [line for line in PATH.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return tuple(
        (name, text.strip())
        for name, _, text in (line.partition(" ") for line in joined.splitlines() if line)
    )


def last_stage() -> list[tuple[str, str]]:
    """Return the instructions of the image itself."""
    told = list(instructions())
    start = max(index for index, (name, _) in enumerate(told) if name == "FROM")
    return told[start:]


def environment_of_the_image() -> dict[str, str]:
    """Return the variables of ours that the image sets."""
    pairs = (
        pair.partition("=")
        for name, text in last_stage()
        if name == "ENV"
        for pair in shlex.split(text)
    )
    return {name: value for name, _, value in pairs if name.startswith("OSEVENTS_")}
