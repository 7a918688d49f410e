"""When a source was last read by any copy, so that a long absence shows after a restart.

Reading is not hearing: a source that is read and silent was not missed. When something last came
is `services.catcher.listening`'s, by which another source's checkpoint may move on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.catcher.sources.port import Checkpoint
from shared.clock import Clock
from shared.errors import Transient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LastRead:
    """A time in a checkpoint. A store that is away makes it unknown, and harms nobody else."""

    checkpoint: Checkpoint
    clock: Clock

    async def ago(self) -> timedelta | None:
        """Return how long nobody has read; None when nobody ever did, or when it is unknown."""
        try:
            position = await self.checkpoint.load()
        except Transient as error:
            log.warning("last_read_unknown", reason=str(error))
            return None
        text = position.get("read_at") if position else None
        if not isinstance(text, str):
            return None
        return max(timedelta(), self.clock.now() - datetime.fromisoformat(text).astimezone(UTC))

    async def note(self) -> None:
        """Note that it is being read."""
        try:
            await self.checkpoint.save({"read_at": self.clock.now().isoformat()})
        except Transient as error:
            log.warning("last_read_not_noted", reason=str(error))
