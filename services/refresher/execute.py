"""Works off one cloud's targets: claim, plan, read, write, answer.

Several copies share the queue through leases. Each read is a task of its own, so that what hangs
or fails holds up nothing else; how much is in hand at once is bounded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from random import Random

import structlog

from services.refresher.findings import Findings
from services.refresher.follow_up import FollowUp
from services.refresher.hand import Hand
from services.refresher.metrics import RefresherMetrics
from services.refresher.pass_requests import PassRequests
from services.refresher.planner import Plan, Read, plan
from services.refresher.reading import Reader
from services.refresher.refusals import forbids, is_final
from services.refresher.resources.model import Resource
from services.refresher.writing import Writer
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudInPart, CloudLeftAlone, CloudRefused, CloudUnavailable, Transient
from shared.retrying import until_it_works
from shared.snapshot import Cause
from shared.store.targets import ClaimedTarget, TargetQueue
from shared.waiting import pause, unless_stopped

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard a copy works on targets."""

    claim_most: int = 200
    in_hand_most: int = 400
    idle: timedelta = timedelta(milliseconds=50)
    """How long to wait when nothing is due."""
    lease: timedelta = timedelta(seconds=9)
    """Renewed while working; the targets of a copy that died are taken over after it."""
    drain: timedelta = timedelta(seconds=5)
    """How long reads in hand may go on when the copy is to stop."""
    attempts: int = 20
    """After these (half an hour) a target is a dead letter; the next full pass repairs it."""
    backoff: Backoff = field(default_factory=lambda: Backoff(1.0, 2.0, 300.0))
    store_backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWorker:
    """One copy's work on the targets of one cloud."""

    cloud: str
    worker: str
    """Unique among all copies."""
    resources: Mapping[str, Resource]
    reader: Reader
    targets: TargetQueue
    passes: PassRequests
    writer: Writer
    following_up: FollowUp
    clock: Clock
    random: Random
    metrics: RefresherMetrics
    effort: Effort
    hand: Hand
    turns: Iterator[bool] = field(default_factory=lambda: cycle((True, False)))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end what is in hand, in a bounded time."""
        working: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            leases = group.create_task(self.hand.keep_leases(), name=f"leases of {self.cloud}")
            while not stop.is_set():
                claimed = await self.claim()
                if claimed:
                    task = group.create_task(self.work(claimed), name=f"targets of {self.cloud}")
                    working.add(task)
                    task.add_done_callback(working.discard)
                elif self.hand.room > 0:
                    await pause(self.effort.idle, stop)
                else:
                    await unless_stopped(self.hand.until_room(), stop)
            if working:
                await asyncio.wait(working, timeout=self.effort.drain.total_seconds())
            for task in (leases, *working):
                task.cancel()

    async def work(self, claimed: Sequence[ClaimedTarget]) -> None:
        """Settle `claimed`, one way or another."""
        planned = plan(claimed, self.resources, self.reader.lessons)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._without_reading(planned))
            for read in planned.reads:
                group.create_task(self._read(read))

    async def _without_reading(self, planned: Plan[ClaimedTarget]) -> None:
        for claim in planned.unreadable:
            self.metrics.targets.unreadable.labels(self.cloud, claim.target.kind).inc()
        for claim in planned.passes:
            target = claim.target
            await self._in_store(partial(self.passes.ask, target.kind, by=target.cause))
        await self._finish([*planned.unreadable, *planned.passes])

    async def _read(self, read: Read[ClaimedTarget]) -> None:
        kind = read.resource.kind
        denied_until = self.reader.objects.permits.denied_until(kind, self.clock.now())
        if denied_until is not None:
            reason = f"{kind} may not be read by our credentials"
            await self._postpone(read.claims, until=denied_until, reason=reason)
            return
        try:
            if not await self.reader.objects.has(read.resource):
                self.metrics.targets.unreadable.labels(self.cloud, kind).inc(len(read.claims))
                await self._finish(read.claims)
                return
        except (CloudRefused, CloudUnavailable) as error:
            await self._failed([(claim, error) for claim in read.claims])
            return
        self.metrics.targets.reads.labels(self.cloud, kind, read.form.name.lower()).inc()
        findings = await self.reader.read(read)
        await self._in_store(partial(self._take_along, findings))
        await self._in_store(partial(self._write, findings))
        await self._in_store(partial(self.following_up.ask, findings, read.claims))
        await self._finish(findings.settled)
        self._note_settled(findings.settled)
        await self._failed(findings.failed)

    async def _take_along(self, findings: Findings[ClaimedTarget]) -> None:
        """Answer other targets by what the read showed of their objects."""
        along = await self.targets.claim_found(
            {ref: extra.at for ref, extra in findings.extras.items()},
            cloud=self.cloud,
            worker=self.worker,
            now=self.clock.now(),
            lease=self.effort.lease,
        )
        self.hand.take(along)
        for claim in along:
            target = claim.target
            extra = findings.extras[target.ref]
            if not extra.noted:
                cause = Cause.parse(target.cause)
                findings.note(extra.resource, extra.item, cause, at=extra.at)
        findings.settled += along

    async def _write(self, findings: Findings[ClaimedTarget]) -> None:
        await self.writer.write(findings.snapshots, findings.causes)
        await self.writer.see(findings.seen)
        own = self.reader.objects.project_id
        gone = findings.gone | await self.writer.of_project(findings.doubted, own)
        await self.writer.bury(gone, findings.causes)

    async def _failed(
        self, failed: Sequence[tuple[ClaimedTarget, CloudRefused | CloudUnavailable]]
    ) -> None:
        for claim, error in failed:
            until = self._nobody_is_asked_until(claim, error)
            if until is not None:
                await self._postpone([claim], until=until, reason=str(error))
                continue
            self.metrics.targets.failed.labels(self.cloud, claim.target.kind).inc()
            if is_final(error) or claim.attempts + 1 >= self.effort.attempts:
                keep = partial(
                    self.writer.keep,
                    claim.target,
                    str(error),
                    asked_at=claim.asked_at,
                    tries=claim.attempts + 1,
                )
                await self._in_store(keep)
                await self._in_store(partial(self.targets.give_up, [claim]))
            else:
                await self._in_store(partial(self._retry, claim, error))
            self.hand.let_go([claim])

    def _nobody_is_asked_until(
        self, claim: ClaimedTarget, error: CloudRefused | CloudUnavailable
    ) -> datetime | None:
        """Return until when the target has to wait for all of its kind or service, if it has to."""
        now = self.clock.now()
        if isinstance(error, CloudLeftAlone | CloudInPart):
            return now + timedelta(seconds=error.retry_after_seconds or 0.0)
        if forbids(error):
            return self.reader.objects.permits.denied_until(claim.target.kind, now)
        return None

    async def _postpone(
        self, claims: Sequence[ClaimedTarget], *, until: datetime, reason: str
    ) -> None:
        """Give targets back that could not be answered, whatever they are: it is no try."""
        give_back = partial(self.targets.retry, claims, due_at=until, error=reason, tried=False)
        await self._in_store(give_back)
        self.metrics.targets.postponed.labels(self.cloud, claims[0].target.kind).inc(len(claims))
        self.hand.let_go(claims)

    async def _retry(self, claim: ClaimedTarget, error: CloudRefused | CloudUnavailable) -> None:
        wait = self.effort.backoff.delay_seconds(claim.attempts + 1, self.random)
        if isinstance(error, CloudUnavailable):
            wait = max(wait, error.retry_after_seconds or 0.0)
        due_at = self.clock.now() + timedelta(seconds=wait)
        await self.targets.retry([claim], due_at=due_at, error=str(error))

    async def _finish(self, claims: Sequence[ClaimedTarget]) -> None:
        if claims:
            await self._in_store(partial(self.targets.finish, claims))
        self.hand.let_go(claims)

    def _note_settled(self, claims: Sequence[ClaimedTarget]) -> None:
        now = self.clock.now()
        for claim in claims:
            self.metrics.targets.settled.labels(self.cloud, claim.target.kind).inc()
            lag = (now - claim.asked_at).total_seconds()
            self.metrics.targets.lag.labels(self.cloud).observe(max(0.0, lag))

    async def claim(self) -> list[ClaimedTarget]:
        """Return what is due, as far as there is room; nothing while the store is away."""
        most = min(self.effort.claim_most, self.hand.room)
        if most <= 0:
            return []
        claim = partial(
            self.targets.claim,
            cloud=self.cloud,
            worker=self.worker,
            most=most,
            now=self.clock.now(),
            lease=self.effort.lease,
        )
        try:
            # Every other claim is for whoever waits longest, so that nothing waits for ever.
            urgent = [one.kind for one in self.resources.values() if one.urgent]
            claimed = await claim(kinds=urgent) if next(self.turns) else []
            claimed = claimed or await claim()
        except Transient as error:
            log.warning("claims_wait", cloud=self.cloud, reason=str(error))
            await asyncio.sleep(self.effort.store_backoff.delay_seconds(5, self.random))
            return []
        self.hand.take(claimed)
        return claimed

    async def _in_store(self, write: Callable[[], Awaitable[None]]) -> None:
        """Commit, however long the store is away; the claims may be another copy's by then."""
        await until_it_works(
            write,
            backoff=self.effort.store_backoff,
            random=self.random,
            on_failure=lambda error, attempt: log.warning(
                "refresher_waits", cloud=self.cloud, reason=str(error), attempt=attempt
            ),
        )
