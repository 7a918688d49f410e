"""Full passes: everything of a kind is listed, page by page, to repair what events missed.

A row that the list did not show is not deleted: it becomes a target by id, and only a 404 to that
read deletes it. What an event touched after the pass began was read later, and stays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Never, TypeVar
from uuid import UUID

import structlog

from services.refresher.findings import Findings
from services.refresher.metrics import RefresherMetrics
from services.refresher.reading import Page, Reader
from services.refresher.resources.port import Resource
from services.refresher.schedule import START, asked_by
from services.refresher.writing import Writer
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable, Transient
from shared.resource import ResourceRef
from shared.retrying import until_it_works
from shared.snapshot import Cause, CauseKind
from shared.store.inventory import Inventory
from shared.store.passes import FullPass, FullPasses, PassFigures
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target
from shared.waiting import pause, unless_stopped

T = TypeVar("T")

_SUSPECTS_MOST = 100_000
_ASK_AT_ONCE = 1000
_JITTER = 0.1

log = structlog.get_logger(__name__)


class _Lost(Exception):
    """The lease ended and another copy has the pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """One copy's share of the full passes of one cloud."""

    cloud: str
    worker: str
    resources: Mapping[str, Resource]
    interval: timedelta
    reader: Reader
    passes: FullPasses
    inventory: Inventory
    targets: TargetQueue
    writer: Writer
    clock: Clock
    random: Random
    metrics: RefresherMetrics
    at_once: int = 2
    """Passes of different kinds that this copy makes at the same time."""
    idle: timedelta = timedelta(milliseconds=500)
    look: timedelta = timedelta(seconds=10)
    """How often to look whether a pass is due."""
    lease: timedelta = timedelta(minutes=2)
    store_backoff: Backoff = field(default_factory=Backoff)
    _jitters: dict[str, float] = field(default_factory=dict, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a pass under way is left to whoever comes after its lease."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._schedule(stop), name=f"pass schedule of {self.cloud}")
            for number in range(self.at_once):
                group.create_task(self._work(stop), name=f"passes of {self.cloud} {number}")

    async def ask_for_due(self) -> None:
        """Ask for the passes that are due, of the services that the cloud has."""
        latest = {one.kind: one for one in await self.passes.latest() if one.cloud == self.cloud}
        for kind, resource in self.resources.items():
            jitter = self._jitters.setdefault(kind, self.random.uniform(1 - _JITTER, 1 + _JITTER))
            now = self.clock.now()
            by = asked_by(latest.get(kind), now=now, interval=self.interval, jitter=jitter)
            if by is None or not await self.reader.has(resource):
                continue
            pass_id = UUID(int=self.random.getrandbits(128), version=4)
            await self.passes.ask(self.cloud, kind, pass_id=pass_id, asked_by=by, now=now)

    async def make_next(self) -> bool:
        """Make the next pass that is asked for; False when there is none."""
        claimed = await self.passes.claim(
            cloud=self.cloud, worker=self.worker, now=self.clock.now(), lease=self.lease
        )
        if claimed is None:
            return False
        with suppress(_Lost):
            await self._make(claimed)
        return True

    async def _make(self, claimed: FullPass) -> None:
        """Make one pass and end it, however long the store is away in between."""
        figures = PassFigures()
        began = self.clock.now()
        try:
            resource = self.resources.get(claimed.kind)
            if resource is None or not await self.reader.has(resource):
                await self._finish(claimed, figures, error=f"no API for {claimed.kind}")
                return
            for params in resource.full_lists:
                listed = self.reader.pages(resource, (*resource.list_params, *params))
                async for page in listed:
                    take = partial(self._take, claimed, resource, page, figures)
                    figures = await self._in_store(take)
            suspect = partial(self._suspect_unseen, claimed, before=began)
            figures = replace(figures, vanished=await self._in_store(suspect))
            await self._finish(claimed, figures)
        except (CloudRefused, CloudUnavailable) as error:
            await self._finish(claimed, figures, error=str(error))

    async def _schedule(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.ask_for_due()
            except (Transient, CloudRefused) as error:
                log.warning("passes_not_asked_for", cloud=self.cloud, reason=str(error))
            await pause(self.look, stop)

    async def _work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if await unless_stopped(self.make_next(), stop):
                    continue
            except Transient as error:
                log.warning("passes_wait", cloud=self.cloud, reason=str(error))
            await pause(self.idle, stop)

    async def _take(
        self, claimed: FullPass, resource: Resource, page: Page, figures: PassFigures
    ) -> PassFigures:
        """Write one page; what the cloud sees only in part is noted as seen, not overwritten."""
        cause = Cause(CauseKind.FULL_PASS, str(claimed.id))
        findings: Findings[Never] = Findings(self.cloud)
        partly: list[ResourceRef] = []
        for item in page.items:
            try:
                findings.note(resource, item, cause, at=page.observed_at)
            except CloudUnavailable:
                partly.append(ResourceRef(self.cloud, resource.kind, str(item["id"])))
        written = await self.writer.write(findings.snapshots, cause)
        await self.writer.bury(findings.gone, findings.causes)
        await self.inventory.mark_seen(partly, at=page.observed_at)
        figures = replace(
            figures,
            pages=figures.pages + 1,
            seen=figures.seen + len(page.items),
            created=figures.created + written.created,
            changed=figures.changed + written.updated,
        )
        if not await self.passes.progress(claimed, figures, now=self.clock.now(), lease=self.lease):
            raise _Lost
        if claimed.asked_by != START:
            self.metrics.drift.labels(self.cloud, resource.kind, "created").inc(written.created)
            self.metrics.drift.labels(self.cloud, resource.kind, "changed").inc(written.updated)
        return figures

    async def _suspect_unseen(self, claimed: FullPass, *, before: datetime) -> int:
        """Ask for each row that the pass did not see; return how many."""
        suspects = await self.inventory.unseen(
            self.cloud, claimed.kind, before=before, most=_SUSPECTS_MOST
        )
        cause = str(Cause(CauseKind.FULL_PASS, str(claimed.id)))
        for start in range(0, len(suspects), _ASK_AT_ONCE):
            asked = [
                Target(self.cloud, ref.kind, BY_ID, ref.id, cause, "not seen by a full pass")
                for ref in suspects[start : start + _ASK_AT_ONCE]
            ]
            await self.targets.ask(asked, now=self.clock.now(), merge_window=timedelta(0))
        return len(suspects)

    async def _in_store(self, work: Callable[[], Awaitable[T]]) -> T:
        return await until_it_works(
            work,
            backoff=self.store_backoff,
            random=self.random,
            on_failure=lambda error, attempt: log.warning(
                "pass_waits", cloud=self.cloud, reason=str(error), attempt=attempt
            ),
        )

    async def _finish(
        self, claimed: FullPass, figures: PassFigures, *, error: str | None = None
    ) -> None:
        self._jitters.pop(claimed.kind, None)
        finish = partial(self.passes.finish, claimed, figures, now=self.clock.now(), error=error)
        await self._in_store(finish)
        state = "failed" if error else "done"
        self.metrics.passes.labels(self.cloud, claimed.kind, state).inc()
        level = log.warning if error else log.info
        level("full_pass_" + state, cloud=self.cloud, kind=claimed.kind, seen=figures.seen,
              created=figures.created, changed=figures.changed, vanished=figures.vanished,
              error=error)  # fmt: skip
