"""An absence is measured from when any copy last read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.catcher.sources.last_read import LastRead
from shared.errors import StoreUnavailable
from tests.support.clocks import FixedClock


class Memory:
    """A checkpoint that forgets with the process."""

    position: Mapping[str, Any] | None = None

    async def load(self) -> Mapping[str, Any] | None:
        return self.position

    async def save(self, position: Mapping[str, Any]) -> None:
        self.position = position


async def test_how_long_nobody_has_read_is_remembered() -> None:
    clock = FixedClock()
    memory = Memory()
    last_read = LastRead(memory, clock)

    before = await last_read.ago()
    await last_read.note()
    clock.advance(timedelta(hours=3))

    assert before is None
    assert await LastRead(memory, clock).ago() == timedelta(hours=3)


class Away:
    """A checkpoint in a store that cannot be reached."""

    async def load(self) -> Mapping[str, Any] | None:
        raise StoreUnavailable("away")

    async def save(self, position: Mapping[str, Any]) -> None:
        raise StoreUnavailable(f"away with {position}")


async def test_a_store_that_is_away_makes_it_unknown() -> None:
    last_read = LastRead(Away(), FixedClock())

    await last_read.note()

    assert await last_read.ago() is None
