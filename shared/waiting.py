"""Waiting for work that may never come, without outliving the wish to stop."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_PATIENCE_SECONDS = 2.0


async def unless_stopped(work: Coroutine[Any, Any, _Result], stop: asyncio.Event) -> _Result | None:
    """Return what `work` returns, or None when `stop` is set first; `work` is cancelled then."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel `task` and return when it has ended; raises what it failed with.

    Again and again, since once is not always enough: aiormq loses a cancel that arrives just when
    the broker answers, and the task goes on as if nobody had told it.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
    if not task.cancelled():
        task.result()


async def within(work: Awaitable[_Result], seconds: float) -> _Result:
    """Return what `work` returns; TimeoutError when it takes longer.

    It is left alone then, cancelled, and not waited for, as `asyncio.timeout` would: what loses its
    cancel (see `end`) may never come back.
    """
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working}, timeout=seconds)
    finally:
        if not working.done():
            working.cancel()
            working.add_done_callback(_ignore)
    if not working.done():
        raise TimeoutError
    return working.result()


def _ignore(left: asyncio.Future[Any]) -> None:
    """See what became of work that was left alone; otherwise asyncio logs that nobody did."""
    if not left.cancelled():
        left.exception()


async def pause(duration: timedelta, stop: asyncio.Event) -> None:
    """Wait for `duration`, less when `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(duration.total_seconds()):
            await stop.wait()
