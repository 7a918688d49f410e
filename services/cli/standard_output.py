"""What becomes of a command whose output cannot be written."""

import os
import sys
from contextlib import suppress

from shared.errors import OseventsError


class NotPrinted(OseventsError):
    """Standard output takes no more: who read it is gone, or the disk that it goes to is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output takes no more: {error.strerror}")
        # Python writes what is left when it ends, and would complain once more.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
