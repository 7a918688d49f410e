"""The data directory of `osevents up`: one such process at a time, logs beside the data."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import Misconfigured, Problem

_LOCK = "up.lock"


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Make `data` and hold it; raises Misconfigured when another `osevents up` has it.

    The kernel drops the lock of a killed process, so there is nothing stale to remove.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / _LOCK).open("a+")
    except OSError as error:
        message = f"{data} cannot be used: {error.strerror}"
        raise Misconfigured([Problem("--data", message)]) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = f"`osevents up` (process {lock.read().strip() or 'unknown'})"
            message = f"{data} is in use by another {who}; stop it, or choose another directory"
            raise Misconfigured([Problem("--data", message)]) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
