"""`python`: a function of yours, named `package.module:function`, sync or async.

It is called with the `ActionCall` and may return a few words for the timeline, or an outcome of
`services.processor.actions.port`. A sync function runs in a thread, and a thread cannot be stopped:
one that outlives its deadline is not started again for the same action while it still runs.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.processor.actions.checking import Deadline, problems_with, settings_of
from services.processor.actions.port import ActionCall, Done, Never, Outcome, Run, Tools, TryAgain
from shared.errors import Problem
from shared.runtime.durations import format_duration
from shared.runtime.sections import Section

_THREADS = 8
_LONGEST_DETAIL = 300


def find(name: str) -> Callable[..., Any]:
    """Return the function that `name` names; ValueError says what is missing."""
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise ValueError(f"{name!r} names no function; write package.module:function")
    try:
        found: Any = import_module(module_name)
    except Exception as error:  # whatever somebody's module raises on import
        raise ValueError(f"{module_name} cannot be imported: {error!r}") from error
    for part in path.split("."):
        found = getattr(found, part, None)
    function: Callable[..., Any] | None = found if callable(found) else None
    if function is None:
        raise ValueError(f"{module_name} has no function {path!r}")
    return function


def _findable(name: str) -> str:
    find(name)
    return name


class PythonSettings(Section):
    """What a rule calls."""

    function: Annotated[str, AfterValidator(_findable)]
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments besides the call; no secrets, since they are stored."""
    deadline: Deadline = timedelta(seconds=30)
    """For the whole try, the wait for a free thread included."""


class Python:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(PythonSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:  # noqa: ARG002 - it needs none
        """See the port."""
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="action")
        try:
            yield _Caller(threads).call
        finally:
            # What hangs must not keep the processor from ending.
            threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Caller:
    threads: ThreadPoolExecutor
    running: dict[str, "Future[Any]"] = field(default_factory=dict)
    """What was started in a thread and has not ended, by idempotency key."""

    async def call(self, call: ActionCall) -> Outcome:
        settings = settings_of(PythonSettings, call.settings)
        function = find(settings.function)
        deadline = asyncio.timeout(settings.deadline.total_seconds())
        try:
            async with deadline:
                if inspect.iscoroutinefunction(function):
                    said = await function(call, **settings.arguments)
                elif call.idempotency_key in self.running:
                    return TryAgain("the try before still runs; a thread cannot be stopped")
                else:
                    said = await self._in_thread(function, call, settings.arguments)
                    if inspect.isawaitable(said):  # an object that is called like a function, say
                        said = await said
        except TimeoutError as error:
            if not deadline.expired():
                return TryAgain(_short(repr(error)))  # the function's own
            return TryAgain(f"not done within {format_duration(settings.deadline)}")
        return _outcome(said)

    async def _in_thread(
        self, function: Callable[..., Any], call: ActionCall, arguments: Mapping[str, Any]
    ) -> Any:
        key = call.idempotency_key
        future = self.threads.submit(function, call, **arguments)
        self.running[key] = future
        future.add_done_callback(lambda _: self.running.pop(key, None))
        return await asyncio.wrap_future(future)


def _outcome(said: object) -> Outcome:
    if isinstance(said, Done | TryAgain | Never):
        return said
    return Done("done" if said is None else _short(str(said)))


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_DETAIL]
