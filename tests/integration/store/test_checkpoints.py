"""How far a source was read."""

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
