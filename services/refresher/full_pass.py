"""Full passes: everything of a kind is listed, page by page, to repair what events missed.

A row that the list did not show is not deleted: it becomes a target by id, and only a 404 to that
read deletes it. What an event touched after the pass began was read later, and stays. A copy that
dies or stops leaves the pass to the next one, which goes on after the last page that was written;
so does the next try of one that failed. Who asks for passes is `services.refresher.pass_requests`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Never, TypeVar

import structlog

from services.refresher.findings import Findings
from services.refresher.listing import ListedPage, Listing, one_ahead
from services.refresher.metrics import RefresherMetrics
from services.refresher.objects import Objects
from services.refresher.resources.model import Resource
from services.refresher.unseen import Unseen
from services.refresher.writing import Writer
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable, Transient
from shared.resource import ResourceRef
from shared.retrying import until_it_works
from shared.snapshot import Cause, CauseKind, ChangeKind
from shared.store.drift import Drift
from shared.store.inventory import Inventory
from shared.store.passes import FullPass, FullPasses, PassFigures, PassState, Place
from shared.waiting import beside, end, pause, unless_stopped

T = TypeVar("T")

_RENEWALS_PER_LEASE = 4
# What vanished is counted when it is buried, which is later.
_DRIFT = {
    ChangeKind.CREATED: "created",
    ChangeKind.RESTORED: "created",
    ChangeKind.UPDATED: "changed",
}

log = structlog.get_logger(__name__)


class _Lost(Exception):
    """The lease ended and another copy has the pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """One copy's share of the full passes of one cloud."""

    cloud: str
    worker: str
    resources: Mapping[str, Resource]
    objects: Objects
    passes: FullPasses
    drift: Drift
    inventory: Inventory
    unseen: Unseen
    writer: Writer
    clock: Clock
    random: Random
    metrics: RefresherMetrics
    at_once: int = 4
    """Passes of different kinds that this copy makes at the same time: one waits for the cloud
    while another one's page is written. How often the cloud is asked is its client's business."""
    idle: timedelta = timedelta(milliseconds=500)
    lease: timedelta = timedelta(seconds=12)
    """Renewed while working; the pass of a copy that died is taken over after it."""
    store_backoff: Backoff = field(default_factory=Backoff)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a pass under way is left to whoever comes next."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.at_once):
                group.create_task(self._work(stop), name=f"passes of {self.cloud} {number}")
        try:
            await self.passes.release(self.worker, now=self.clock.now())
        except Transient as error:
            log.warning("passes_not_released", cloud=self.cloud, reason=str(error))

    async def make_next(self) -> bool:
        """Make the next pass that is asked for; False when there is none."""
        claimed = await self.passes.claim(
            cloud=self.cloud, worker=self.worker, now=self.clock.now(), lease=self.lease
        )
        if claimed is None:
            return False
        async with beside(
            **{f"the lease of a pass over {claimed.kind}": self._keep_lease(claimed)}
        ):
            with suppress(_Lost):
                await self._make(claimed)
        return True

    async def _make(self, claimed: FullPass) -> None:
        """Make one pass and end it, however long the store is away in between."""
        place, tally = _left_at(claimed, self.clock.now())
        try:
            resource = self.resources.get(claimed.kind)
            if resource is None or not await self.objects.has(resource):
                reason = f"cloud {self.cloud} has no API for {claimed.kind}"
                await self._finish(claimed, tally.figures, PassState.ABSENT, reason)
                return
            listing = Listing(self.objects, resource, self.clock)
            async with aclosing(listing.pages(place)) as pages, aclosing(one_ahead(pages)) as ahead:
                async for listed in ahead:
                    place = listed.place
                    await self._in_store(partial(self._take, claimed, resource, listed, tally))
            await self._suspect_unseen(claimed, resource, tally, before=place.began_at)
            await self._finish(claimed, tally.figures, PassState.DONE)
        except (CloudRefused, CloudUnavailable) as error:
            await self._finish(claimed, tally.figures, PassState.FAILED, str(error))

    async def _keep_lease(self, claimed: FullPass) -> None:
        """Renew the lease for ever; a renewal that fails is tried again with the next."""
        while True:
            await asyncio.sleep(self.lease.total_seconds() / _RENEWALS_PER_LEASE)
            try:
                await self.passes.extend(claimed, until=self.clock.now() + self.lease)
            except Transient as error:
                log.warning("pass_lease_not_renewed", kind=claimed.kind, reason=str(error))

    async def _work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            making = asyncio.create_task(self._try_next(), name=f"a pass of {self.cloud}")
            try:
                await unless_stopped(asyncio.wait({making}), stop)
                idle = making.done() and not making.result()
            finally:
                await end(making)
            if idle:
                await pause(self.idle, stop)

    async def _try_next(self) -> bool:
        """Make the next pass; False when there is none, or the store is away."""
        try:
            return await self.make_next()
        except Transient as error:
            log.warning("passes_wait", cloud=self.cloud, reason=str(error))
            return False

    async def _take(
        self, claimed: FullPass, resource: Resource, listed: ListedPage, tally: "_Tally"
    ) -> None:
        """Write one page; what the cloud sees only in part is noted as seen, not overwritten."""
        page = listed.page
        cause = Cause(CauseKind.FULL_PASS, str(claimed.id))
        findings: Findings[Never] = Findings(self.cloud)
        partly: list[ResourceRef] = []
        for item in page.items:
            try:
                findings.note(resource, item, cause, at=page.observed_at)
            except CloudUnavailable:
                partly.append(ResourceRef(self.cloud, resource.kind, str(resource.id_of(item))))
        written = await self.writer.write_page(findings.snapshots, cause)
        await self.writer.bury(findings.gone, findings.causes)
        await self.inventory.mark_seen(partly, at=page.observed_at)
        before = PassFigures() if listed.anew else tally.figures
        figures = replace(
            before,
            pages=before.pages + 1,
            seen=before.seen + len(page.items),
            created=before.created + written.created,
            changed=before.changed + written.updated,
        )
        if not await self.passes.progress(
            claimed, figures, listed.place, now=self.clock.now(), lease=self.lease
        ):
            raise _Lost
        tally.figures = figures
        self.metrics.passes.listed.labels(self.cloud, resource.kind).inc(len(page.items))

    async def _suspect_unseen(
        self, claimed: FullPass, resource: Resource, tally: "_Tally", *, before: datetime
    ) -> None:
        """Ask for each row that the pass did not see, some at a time."""
        cause, after = Cause(CauseKind.FULL_PASS, str(claimed.id)), None
        while rows := await self._in_store(
            partial(self.unseen.some, resource, before=before, after=after)
        ):
            asked = await self._in_store(partial(self.unseen.ask, resource, rows, cause))
            after = rows[-1].id
            vanished = tally.figures.vanished + asked
            tally.figures = replace(tally.figures, vanished=vanished)

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
        self, claimed: FullPass, figures: PassFigures, state: PassState, error: str | None = None
    ) -> None:
        now = self.clock.now()
        finish = partial(self.passes.finish, claimed, figures, now=now, state=state, error=error)
        await self._in_store(finish)
        if not claimed.first:
            await self._count_drift(claimed)
        self.metrics.passes.ended.labels(self.cloud, claimed.kind, state).inc()
        if state is PassState.ABSENT:
            return
        level = log.warning if error else log.info
        level(f"full_pass_{state}", cloud=self.cloud, kind=claimed.kind, seen=figures.seen,
              created=figures.created, changed=figures.changed, vanished=figures.vanished,
              error=error)  # fmt: skip

    async def _count_drift(self, claimed: FullPass) -> None:
        corrections = partial(self.drift.of_pass, claimed.id, since=claimed.failed_at)
        for correction in await self._in_store(corrections):
            what = _DRIFT.get(correction.change)
            if what is not None:
                field_ = correction.field or ""
                count = correction.count
                self.metrics.passes.drifted(self.cloud, claimed.kind, what, field_, count)


@dataclass(slots=True)
class _Tally:
    """What a pass under way has done so far; kept when it fails in the middle."""

    figures: PassFigures


def _left_at(claimed: FullPass, now: datetime) -> tuple[Place, _Tally]:
    """Return where to go on and what was done until there; a list without a place begins anew."""
    place = claimed.place
    if place is None or not (place.markers or place.list):
        return Place(now), _Tally(PassFigures())
    return place, _Tally(claimed.figures)
