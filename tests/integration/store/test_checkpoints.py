"""How far a source was read."""

import asyncio
from typing import Any

from shared.store.checkpoints import Checkpoints
from shared.store.database import Database
from tests.support.events import NOON


async def test_a_source_starts_without_a_checkpoint(database: Database) -> None:
    assert await Checkpoints(database).load("prod", "panko") is None


async def test_the_latest_position_of_each_source_is_kept(database: Database) -> None:
    checkpoints = Checkpoints(database)
    await checkpoints.save("prod", "panko", {"marker": "a"}, now=NOON)
    await checkpoints.save("prod", "panko", {"marker": "b", "at": [1, None]}, now=NOON)
    await checkpoints.save("test", "panko", {"marker": "c"}, now=NOON)

    assert await checkpoints.load("prod", "panko") == {"marker": "b", "at": [1, None]}
    assert await checkpoints.load("test", "panko") == {"marker": "c"}


async def test_copies_that_change_a_position_at_once_take_turns(database: Database) -> None:
    checkpoints = Checkpoints(database)

    def count(saved: dict[str, Any] | None) -> dict[str, Any]:
        return {"count": (saved or {"count": 0})["count"] + 1}

    await checkpoints.change("prod", "panko", count, now=NOON)
    async with asyncio.TaskGroup() as group:
        for _ in range(9):
            group.create_task(checkpoints.change("prod", "panko", count, now=NOON))

    assert await checkpoints.load("prod", "panko") == {"count": 10}
