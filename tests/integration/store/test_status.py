"""What the copies of the services said last."""

from datetime import timedelta

from shared.store.database import Database
from shared.store.status import Heartbeat, Heartbeats
from tests.support.events import NOON

LATER = NOON + timedelta(seconds=30)


async def test_the_latest_word_of_each_copy_is_told(database: Database) -> None:
    heartbeats = Heartbeats(database)
    await heartbeats.report("catcher", "a", {"caught": 1}, now=NOON)
    await heartbeats.report("catcher", "a", {"caught": 2}, now=LATER)
    await heartbeats.report("catcher", "a", {"lag": 0.5}, now=LATER, cloud="prod")

    assert await heartbeats.latest(NOON) == [
        Heartbeat("catcher", "a", None, LATER, {"caught": 2}),
        Heartbeat("catcher", "a", "prod", LATER, {"lag": 0.5}),
    ]


async def test_an_older_word_never_replaces_a_newer(database: Database) -> None:
    heartbeats = Heartbeats(database)
    await heartbeats.report("catcher", "a", {"caught": 2}, now=LATER)
    await heartbeats.report("catcher", "a", {"caught": 1}, now=NOON)

    assert [beat.figures for beat in await heartbeats.latest(NOON)] == [{"caught": 2}]


async def test_silent_copies_are_left_out_and_can_be_forgotten(database: Database) -> None:
    heartbeats = Heartbeats(database)
    await heartbeats.report("catcher", "silent", {}, now=NOON)
    await heartbeats.report("catcher", "alive", {}, now=LATER)

    assert [beat.instance for beat in await heartbeats.latest(LATER)] == ["alive"]
    assert await heartbeats.purge(LATER) == 1
