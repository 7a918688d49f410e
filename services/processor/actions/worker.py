"""Works off the outbox: claim, run, note the result, and again until it is done or dead.

Copies of the processor share the actions through leases. Each action is a task of its own; how many
are in hand is bounded, in all and for each receiver.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random

import structlog

from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import ActionKind, Done, Run, Tools, TryAgain
from services.processor.actions.running import attempt, unusable
from services.processor.actions.schedule import Patience
from services.processor.actions.settling import Settling
from services.processor.actions.sharing import Places
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import Transient
from shared.retrying import until_it_works
from shared.store.outbox import ClaimedAction, Outbox
from shared.store.timeline import Timeline

log = structlog.get_logger(__name__)

_RENEWALS_PER_LEASE = 3
_SHOW_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard a copy works on actions."""

    at_once: int = 100
    per_receiver: int = 8
    idle: timedelta = timedelta(milliseconds=200)
    """How long to wait when nothing is due."""
    lease: timedelta = timedelta(seconds=6)
    """Renewed while working; the actions of a copy that died are taken over after it."""
    drain: timedelta = timedelta(seconds=5)
    """How long tries in hand may go on when the copy is to stop."""
    patience: Patience = field(default_factory=Patience)
    store_backoff: Backoff = field(default_factory=Backoff)


class ActionWorker:
    """One copy's work on the outbox."""

    def __init__(
        self,
        *,
        worker: str,
        kinds: Mapping[str, ActionKind],
        tools: Tools,
        clock: Clock,
        random: Random,
        metrics: ActionMetrics,
        effort: Effort | None = None,
    ) -> None:
        """Take what is needed; `worker` names this copy and is unique among all."""
        self._worker = worker
        self._kinds = kinds
        self._tools = tools
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._effort = effort or Effort()
        self._outbox = Outbox(tools.database)
        self._places = Places(self._effort.at_once, self._effort.per_receiver)
        self._settling = Settling(
            outbox=self._outbox,
            timeline=Timeline(tools.database),
            patience=self._effort.patience,
            clock=clock,
            random=random,
            metrics=metrics,
        )
        self._runs: dict[str, Run] = {}
        self._working: dict[int, asyncio.Task[None]] = {}
        self._answering: set[int] = set()
        """Claims whose try has ended: only the result is still to be stored."""
        self._freed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end what is in hand, in a bounded time."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            await self._open_kinds(stack)
            beside = [
                group.create_task(self._keep_leases(), name="action leases"),
                group.create_task(self._show(), name="action figures"),
            ]
            while not stop.is_set():
                self._freed.clear()
                for claimed in await self._claim():
                    task = group.create_task(self._work(claimed), name=f"{claimed.spec.kind}")
                    self._hold(claimed, task)
                await self._rest(stop)
            if self._working:
                await asyncio.wait(
                    list(self._working.values()), timeout=self._effort.drain.total_seconds()
                )
            for task in (*beside, *self._working.values()):
                task.cancel()

    async def _open_kinds(self, stack: AsyncExitStack) -> None:
        for name, kind in self._kinds.items():
            try:
                self._runs[name] = await stack.enter_async_context(kind.open(self._tools))
            except Exception as error:  # a package's kind must not end the processor
                log.exception("action_kind_unusable", kind=name)
                self._runs[name] = unusable(f"the kind {name!r} could not be opened: {error!r}")

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait until a try has ended, so that its place can be given on; else a moment for work."""
        freed = asyncio.ensure_future(self._freed.wait())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait(
                {freed, stopping},
                timeout=self._effort.idle.total_seconds() if self._places.room > 0 else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            freed.cancel()
            stopping.cancel()

    def _hold(self, claimed: ClaimedAction, task: "asyncio.Task[None]") -> None:
        self._places.take(claimed.receiver)
        self._working[claimed.claim] = task

        def let_go(_: object) -> None:
            del self._working[claimed.claim]
            self._answering.discard(claimed.claim)
            self._places.leave(claimed.receiver)
            self._freed.set()

        task.add_done_callback(let_go)

    async def _claim(self) -> list[ClaimedAction]:
        """Return what is due and has a place; nothing while the store is away."""
        try:
            now = self._clock.now()
            shares = self._places.shares(await self._outbox.due_receivers(now))
            if not shares:
                return []
            return await self._outbox.claim(
                shares, worker=self._worker, now=now, lease=self._effort.lease
            )
        except Transient as error:
            log.warning("actions_wait", reason=str(error))
            await asyncio.sleep(self._effort.store_backoff.delay_seconds(5, self._random))
            return []

    async def _work(self, claimed: ClaimedAction) -> None:
        with self._metrics.seconds.labels(claimed.spec.kind).time():
            outcome = await attempt(claimed, self._runs)
        self._answering.add(claimed.claim)
        match outcome:
            case Done():
                self._places.worked(claimed.receiver)
            case TryAgain():
                self._places.failed(claimed.receiver)
        await self._in_store(partial(self._settling.settle, claimed, outcome))

    async def _in_store(self, write: Callable[[], Awaitable[None]]) -> None:
        await until_it_works(
            write,
            backoff=self._effort.store_backoff,
            random=self._random,
            on_failure=lambda error, attempt: log.warning(
                "action_result_waits", reason=str(error), attempt=attempt
            ),
        )

    async def _keep_leases(self) -> None:
        """Renew what is in hand, for ever; end what another copy has taken over."""
        while True:
            await asyncio.sleep(self._effort.lease.total_seconds() / _RENEWALS_PER_LEASE)
            held = dict(self._working)
            if not held:
                continue
            try:
                ours = await self._outbox.renew(
                    list(held), now=self._clock.now(), lease=self._effort.lease
                )
            except Transient as error:
                log.warning("action_leases_not_renewed", claims=len(held), reason=str(error))
                continue
            for claim in held.keys() - ours:
                if claim in self._working and claim not in self._answering:
                    self._metrics.lost_leases.inc()
                    self._working[claim].cancel()

    async def _show(self) -> None:
        """Keep the figures fresh that nobody counts as they happen."""
        while True:
            try:
                waiting = await self._outbox.waiting()
            except Transient as error:
                log.warning("action_figures_wait", reason=str(error))
            else:
                self._metrics.queue(waiting, now=self._clock.now())
                self._places.forget([item.receiver for item in waiting])
            await asyncio.sleep(_SHOW_EVERY.total_seconds())
