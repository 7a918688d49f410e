"""Every statement of every file is understood by the server."""

from importlib.resources import files

import asyncpg

from shared.store.database import Database
from shared.store.statements import statements


async def test_the_server_accepts_every_statement(database: Database) -> None:
    refused = {}
    for entry in (files("shared.store") / "sql").iterdir():
        topic, dot, _ = entry.name.partition(".")
        for name, sql in statements(topic).items() if dot else ():
            async with database.connection() as connection:
                try:
                    await connection.prepare(sql)
                except asyncpg.PostgresError as error:
                    refused[f"{topic}.{name}"] = str(error)

    assert refused == {}
