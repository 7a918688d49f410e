"""The command line as a user calls it, and what came of it."""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from services.cli.main import run


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one call."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return what was printed with `--format json`: one object a line, and nothing else."""
        assert self.code == 0, self.err
        rows = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(row, dict) for row in rows)
        return rows


def call(*arguments: str) -> Outcome:
    """Run a command in this process; quick, but nothing else may print meanwhile."""
    out, err = io.StringIO(), io.StringIO()
    with _logging_as_before(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(arguments))
    return Outcome(code, out.getvalue(), err.getvalue())


def start(*arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process: "subprocess.Popen[str]", *, seconds: float = 60) -> Outcome:
    """Wait for the end of a command."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        message = f"{process.args!r} did not end within {seconds:g} s: {out}{err}"
        raise AssertionError(message) from None
    return Outcome(process.returncode, out, err)


@contextlib.contextmanager
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
