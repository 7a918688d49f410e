"""The receiver of `tests.support.receiver_process`, started, and what it noted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as the receiver noted it."""

    key: str
    event: str
    body: str
    how: str


@dataclass(frozen=True, slots=True)
class Receiving:
    """The receiver's process and what it noted."""

    url: str
    log: Path

    def deliveries(self) -> list[Delivery]:
        """Return every request so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [Delivery(**json.loads(line)) for line in lines]


@contextmanager
def receiver_process(directory: Path, *, failing: float) -> Iterator[Receiving]:
    """Run the receiver until the block is left; `failing` is the share of requests that fail."""
    port, log = free_port(), directory / "deliveries.jsonl"
    module = "tests.support.receiver_process"
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port), str(log), "7", str(failing)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield Receiving(f"http://127.0.0.1:{port}/", log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
