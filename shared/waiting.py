"""Waiting for work that may never come, without outliving the wish to stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from shared.errors import EndedByItself

_Result = TypeVar("_Result")
_PATIENCE_SECONDS = 2.0


class CancelledElsewhere(Exception):
    """Work was cancelled, and not by whoever waits for it."""


async def unless_stopped(work: Coroutine[Any, Any, _Result], stop: asyncio.Event) -> _Result | None:
    """Return what `work` returns, or None when `stop` is set first; `work` is cancelled then.

    Raises CancelledElsewhere when somebody else cancelled `work`: a CancelledError would end a task
    of a TaskGroup without anybody noticing.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.cancelled():
            raise CancelledElsewhere
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel `tasks` and return when all have ended; raises what the first of them failed with.

    Again and again, since once is not always enough: aiormq loses a cancel that arrives just when
    the broker answers, and the task goes on as if nobody had told it.
    """
    while unfinished := [task for task in tasks if not task.done()]:
        for task in unfinished:
            task.cancel()
        await asyncio.wait(unfinished, timeout=_PATIENCE_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def within(work: Awaitable[_Result], seconds: float) -> _Result:
    """Return what `work` returns; TimeoutError when it takes longer.

    It is left alone then, cancelled, and not waited for, as `asyncio.timeout` would: what loses its
    cancel (see `end`) may never come back.

    Raises CancelledError only when the caller is cancelled, and CancelledElsewhere when `work` was:
    aiormq cancels its pending calls when a connection breaks. To ask the own task whether it is
    being cancelled does not tell the two apart: before Python 3.13 a task in which a TaskGroup
    failed looks as if it were, for the rest of its life.
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
    if working.cancelled():
        raise CancelledElsewhere
    return working.result()


@asynccontextmanager
async def beside(**works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run works that never end beside the body, by their names, until the context is left.

    When one does end, the body is cancelled, and what the work failed with is raised, or
    EndedByItself; otherwise a loop that died by mistake would leave a process that looks well.
    """
    body = asyncio.current_task()
    assert body is not None
    cancelled_before = body.cancelling()
    inside, interrupted = True, False

    def on_end(_: asyncio.Task[None]) -> None:
        nonlocal interrupted
        # Not after the body has left in the same turn of the loop: it would cancel what follows.
        if inside and not interrupted:
            interrupted = True
            body.cancel()

    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    for task in tasks:
        task.add_done_callback(on_end)
    try:
        yield
    except asyncio.CancelledError:
        # Whoever was cancelled besides must end as cancelled, or he would never end.
        if not interrupted or body.cancelling() > cancelled_before + 1:
            raise
    finally:
        inside = False
        if interrupted:
            body.uncancel()
        ended = [task for task in tasks if task.done()]
        await end(*(task for task in tasks if task not in ended))
    if ended:
        _tell_why(ended[0])


def _tell_why(ended: asyncio.Task[None]) -> None:
    if not ended.cancelled():
        ended.result()
    raise EndedByItself(ended.get_name())


def _ignore(left: asyncio.Future[Any]) -> None:
    """See what became of work that was left alone; otherwise asyncio logs that nobody did."""
    if not left.cancelled():
        left.exception()


async def pause(duration: timedelta, stop: asyncio.Event) -> None:
    """Wait for `duration`, less when `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(duration.total_seconds()):
            await stop.wait()
