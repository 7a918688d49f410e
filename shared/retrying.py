"""Trying again until it works, for work that must not be given up."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from shared.backoff import Backoff
from shared.errors import Transient

_Result = TypeVar("_Result")


async def until_it_works(
    call: Callable[[], Awaitable[_Result]],
    *,
    backoff: Backoff,
    random: Random,
    on_failure: Callable[[Transient, int], None],
) -> _Result:
    """Return what `call` returns; after each Transient, tell `on_failure`, wait, and call again.

    Other exceptions pass. Ends only by success or by cancelling.
    """
    attempt = 0
    while True:
        try:
            return await call()
        except Transient as error:
            attempt += 1
            on_failure(error, attempt)
            await asyncio.sleep(backoff.delay_seconds(attempt, random))
