"""Waiting for what another process will do: a condition and a bound, never a guess in seconds."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(
    condition: Callable[[], Awaitable[bool]], *, what: str, seconds: float = 60.0
) -> None:
    """Return when `condition` is true; fail, naming `what`, when it is not within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            # Nobody over there could set an Event of ours.
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        message = f"after {seconds:g} s it is still not so that {what}"
        raise AssertionError(message) from None
