"""`python`: a function of yours, named `package.module:function`, sync or async.

It is called with the `ActionCall` and may return a few words for the timeline, or an outcome of
`services.processor.actions.port`. A sync function runs in a thread, and a thread cannot be stopped:
one that outlives its deadline is not started again for the same action while it still runs.
"""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
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
        yield _Caller().call


@dataclass(frozen=True, slots=True)
class _Caller:
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_THREADS))
    running: set[str] = field(default_factory=set)
    """The idempotency keys of what was started in a thread and has not ended."""

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
        """Run a function in a thread of its own and return what it returns.

        A daemon thread, which no executor has: one that hangs must not keep the processor from
        ending. Its place is free when it has ended, not when we stop waiting.
        """
        await self.places.acquire()
        self.running.add(call.idempotency_key)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def ended(result: object, error: BaseException | None) -> None:
            self.running.discard(call.idempotency_key)
            self.places.release()
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> None:
            result, raised = None, None
            try:
                result = function(call, **arguments)
            except BaseException as error:  # noqa: BLE001 - it goes to whoever waits
                raised = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended, result, raised)

        threading.Thread(target=work, name="action", daemon=True).start()
        return await future


def _outcome(said: object) -> Outcome:
    if isinstance(said, Done | TryAgain | Never):
        return said
    return Done("done" if said is None else _short(str(said)))


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_DETAIL]
