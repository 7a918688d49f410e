"""What cannot be handled is kept, with the reason, for the operator to look at and send again."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that cannot be handled."""

    origin: str
    """Who gave up: `catcher`, `bus`, `processor`, `refresher`."""
    reason: str
    """One line: what is wrong, with the value."""
    cloud: str | None
    body: bytes
    """The message as it came, byte for byte."""
    at: datetime
