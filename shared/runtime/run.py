"""The life of a process: it runs until it is told to stop, finishes what it has in hand, and ends.

The first SIGTERM or SIGINT asks to stop, `drain_timeout` later whatever is left is cancelled, and
a second signal cancels at once. The exit code says whose fault an end is: 0 nobody's, 1 it failed,
2 the configuration is wrong.
"""

import asyncio
import gc
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import structlog
import uvloop

from shared.errors import EndedByItself, Misconfigured, OseventsError
from shared.runtime.durations import format_duration

log = structlog.get_logger(__name__)

Main = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set. It may set the event itself, to end by itself."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FAILED, _MISCONFIGURED = 1, 2
_ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000


class CutOff(OseventsError):
    """The work in hand was not finished when the time, or the patience of the operator, was up."""


def run(main: Main, *, drain_timeout: timedelta) -> int:
    """Run `main` on an event loop of its own; return the exit code, reasons go to stderr."""
    _spare_the_collector()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(main, drain_timeout))
    except BaseException as error:  # noqa: BLE001 - the last boundary: every end gets its exit code
        return _explain(error)
    return 0


def _spare_the_collector() -> None:
    """Let the garbage collector look less often: what we make by the thousand has no cycles.

    Events are trees of JSON, freed by their last reference. Collecting after every 700 of their
    parts, Python's default, was a tenth of the time of decoding.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)


async def eternal(work: Awaitable[None], *, name: str, stop: asyncio.Event) -> None:
    """Await `work`, which ends only when `stop` is set; raise EndedByItself when it ends before.

    For tasks of a group: without it a loop that ends by mistake leaves a process that looks well.
    """
    await work
    if not stop.is_set():
        raise EndedByItself(name)


async def _live(main: Main, drain_timeout: timedelta) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(eternal(main(stop), name="the service", stop=stop))

    def asked_to_stop(which: signal.Signals) -> None:
        log.info("stopping", signal=which.name, at_once=stop.is_set())
        if stop.is_set():
            work.cancel()
        stop.set()

    for which in _SIGNALS:
        loop.add_signal_handler(which, asked_to_stop, which)
    try:
        await _finish(work, stop, drain_timeout)
    finally:
        for which in _SIGNALS:
            loop.remove_signal_handler(which)


async def _finish(
    work: asyncio.Future[None], stop: asyncio.Event, drain_timeout: timedelta
) -> None:
    """Wait for `work`; from the moment `stop` is set it has `drain_timeout` left."""
    stopping = asyncio.ensure_future(stop.wait())
    try:
        either: set[asyncio.Future[Any]] = {work, stopping}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        done, _ = await asyncio.wait({work}, timeout=drain_timeout.total_seconds())
        if not done:
            work.cancel()
        await work
    except asyncio.CancelledError:
        if not work.cancelled():
            raise
        limit = format_duration(drain_timeout)
        raise CutOff(
            f"stopped before the work in hand was done (drain_timeout: {limit}); what was not"
            " acknowledged will be delivered again"
        ) from None
    finally:
        stopping.cancel()


def _explain(error: BaseException) -> int:
    """Tell why the process ends, each reason once; return the exit code."""
    reasons = list(_leaves(error))
    if not all(isinstance(reason, OseventsError) for reason in reasons):
        traceback.print_exception(error)
        return _FAILED
    problems = [
        str(problem)
        for reason in reasons
        if isinstance(reason, Misconfigured)
        for problem in reason.problems
    ]
    for line in dict.fromkeys(problems or [str(reason) for reason in reasons]):
        sys.stderr.write(f"osevents: {line}\n")
    return _MISCONFIGURED if problems else _FAILED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that a task group wrapped, however deep."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
