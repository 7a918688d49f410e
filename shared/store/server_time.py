"""The time of the database's server, which the clocks of all copies follow."""

from shared.followed_clock import FollowedClock, Sample, Ticks
from shared.store.database import Database
from shared.store.statements import statements

AT_ONCE = 4
"""Questions in a row: the first on a connection takes two round trips, and any may be held up."""

_SQL = statements("server_time")


async def follow(database: Database, ticks: Ticks) -> FollowedClock:
    """Return a clock with the server's time; raises StoreUnavailable."""
    first, *others = await ask_time(database, ticks)
    clock = FollowedClock(ticks, first)
    for sample in others:
        clock.take(sample)
    return clock


async def ask_time(database: Database, ticks: Ticks) -> list[Sample]:
    """Ask the server what time it is, a few times; raises StoreUnavailable."""
    samples = []
    async with database.connection() as connection:
        for _ in range(AT_ONCE):
            asked = ticks()
            told = await connection.fetchval(_SQL["now"])
            samples.append(Sample(asked, ticks(), told))
    return samples
