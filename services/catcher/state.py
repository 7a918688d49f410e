"""How it stands with a cloud, as people look at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class CloudState:
    """How it stands with a cloud, for the operator."""

    source: str | None
    """The source that is read; None: none works."""
    why: str
    trouble: str | None
    """Why nothing can arrive at present; None while it can."""
    last: datetime | None
    """When something came last."""
    silent_for: timedelta | None
    """For how long nothing has come, when that is alarming."""
    missed_since: datetime | None
    """Since when something is missing that no source has given yet."""
