"""Where the looking commands find the data: in a data directory, or where the settings say."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from time import monotonic
from typing import Any

import click

from services.cli.output import format_option
from shared.errors import Unstorable
from shared.followed_clock import FollowedClock
from shared.runtime.logs import configure_logs
from shared.runtime.settings import load_settings
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import check
from shared.store.server_time import follow

DATA = Path("data")
"""Where `osevents up` keeps its data unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data is: the directory of an `osevents up`, or what the settings name.

    The settings are those that services have with the same file and environment. A directory that
    is given comes before them, the usual one after.
    """

    config: Path | None
    data: Path | None

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Open the database; the embedded one is started when nobody else has."""
        async with self._url() as url, Database.open(url, connections=2) as database:
            await check(database)
            yield database

    @asynccontextmanager
    async def _url(self) -> AsyncIterator[str]:
        if self.data is None:
            needed = {"database.url"} if self.config else set[str]()
            settings = load_settings(self.config, os.environ, require=needed)
            if settings.database.url is not None:
                yield settings.database.url.reveal()
                return
        directory = self.data or DATA
        if not (directory / "postgres").is_dir():
            raise click.UsageError(
                f"there is no osevents data in {str(directory)!r}; say where it is with"
                " --data DIR (the directory of an `osevents up`), --config FILE or"
                " OSEVENTS_DATABASE__URL"
            )
        async with embedded_postgres(directory) as url:
            yield url


async def time_of(database: Database) -> FollowedClock:
    """Return the clock that the services go by, whatever the host of this command has."""
    return await follow(database, monotonic)


def looking(function: Callable[..., Awaitable[None]]) -> click.Command:
    """Make a command of `function(database, format_, **options)`, with the options all share."""

    @click.command(name=function.__name__.rstrip("_"), help=function.__doc__)
    @click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="The configuration file; environment variables (OSEVENTS_...) override it.",
    )
    @click.option(
        "--data", type=click.Path(path_type=Path), help="The data directory of `osevents up`."
    )
    @format_option()
    @wraps(function)
    def command(*, config: Path | None, data: Path | None, **options: Any) -> None:
        if config is not None and data is not None:
            raise click.UsageError("--config and --data each say where to look; give one of them")

        async def run() -> None:
            async with Place(config, data).database() as database:
                await function(database, **options)

        # On standard output are the rows, and nothing else.
        configure_logs(
            level="warning", as_json=False, service=command.name or "", instance=str(os.getpid())
        )
        try:
            asyncio.run(run())
        except Unstorable as error:
            # What these commands hand over comes from their options.
            raise click.UsageError(f"nothing can have such a value: {error}") from error

    return command
