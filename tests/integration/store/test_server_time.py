"""A clock with the time of PostgreSQL, wherever this machine's ticks began."""

from datetime import timedelta
from time import monotonic

import pytest

from shared.store.database import Database
from shared.store.server_time import ask_time, follow

ROUNDING = timedelta(microseconds=3)


@pytest.mark.parametrize("began", [0, -1e6, 1e9])
async def test_the_clock_shows_the_servers_time(database: Database, began: float) -> None:
    clock = await follow(database, lambda: monotonic() - began)
    before = await database.fetch_value("select clock_timestamp()")
    shown = clock.now()
    after = await database.fetch_value("select clock_timestamp()")
    error = timedelta(seconds=clock.error_seconds) + ROUNDING
    assert before - error <= shown <= after + error


async def test_each_answer_is_of_its_own_moment(database: Database) -> None:
    samples = await ask_time(database, monotonic)
    told = [sample.told for sample in samples]
    assert told == sorted(set(told))
