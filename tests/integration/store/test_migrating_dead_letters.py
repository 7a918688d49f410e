"""Dead letters from before they knew their first death keep their place."""

import asyncpg

from shared.dead_letter import DeadLetter
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.migrations import migrations
from tests.support.events import NOON


async def test_letters_of_one_message_become_one_that_counts_them(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        for migration in migrations():
            if migration.name < "0031":
                await connection.execute(migration.sql)
        await connection.executemany(
            "insert into dead_letters (digest, origin, reason, cloud, body, at)"
            " values ($1, 'catcher', 'not JSON', $2, $3, $4)",
            [(b"1", None, b"x", NOON), (b"2", None, b"x", NOON), (b"3", "prod", b"x", NOON)],
        )
        await connection.execute(next(m.sql for m in migrations() if m.name.startswith("0031")))
    finally:
        await connection.close()

    async with Database.open(empty_database_url) as database:
        letters = DeadLetters(database)
        assert sorted(kept.letter.tries for kept in await letters.find()) == [1, 2]
        # The same digests as the migration made: nothing new comes of a letter delivered again.
        assert await letters.keep([DeadLetter("catcher", "not JSON", "prod", b"x", NOON)]) == 0
