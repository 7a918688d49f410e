"""What cannot be handled is kept, with the reason, for the operator to look at and send again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that cannot be handled."""

    origin: str
    """Who gave up: `catcher`, `bus`, `processor`, `refresher`, `action`."""
    reason: str
    """One line: what is wrong, with the value."""
    cloud: str | None
    body: bytes
    """The message as it came, byte for byte."""
    at: datetime
    """When it died; the last time, once it is kept."""
    first_at: datetime | None = None
    """When it died first; None: at `at`."""
    tries: int = 1
    """How often it was tried."""
