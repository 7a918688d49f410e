"""Writes what reads found into the inventory, and keeps what cannot be written or answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson
import structlog

from services.refresher.metrics import RefresherMetrics
from shared.clock import Clock
from shared.dead_letter import DeadLetter
from shared.errors import Permanent
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory, WriteResult
from shared.store.listed import ListedPages
from shared.target import Target

ORIGIN = "refresher"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes for one cloud; raises StoreUnavailable, and may be called again with the same."""

    inventory: Inventory
    listed: ListedPages
    letters: DeadLetters
    clock: Clock
    metrics: RefresherMetrics

    async def write(
        self, snapshots: Sequence[Snapshot], causes: Mapping[ResourceRef, Cause] | Cause
    ) -> WriteResult:
        """Write `snapshots`, all of one kind; one that cannot be stored becomes a dead letter."""
        return await self._halving(lambda some: self.inventory.write(some, causes), snapshots)

    async def write_page(self, snapshots: Sequence[Snapshot], cause: Cause) -> WriteResult:
        """Write what one page of a list showed; likewise."""
        return await self._halving(lambda some: self.listed.write(some, cause), snapshots)

    async def _halving(
        self,
        write: Callable[[Sequence[Snapshot]], Awaitable[WriteResult]],
        snapshots: Sequence[Snapshot],
    ) -> WriteResult:
        """Write all, or what is left without those that cannot be stored."""
        if not snapshots:
            return WriteResult()
        try:
            result = await write(snapshots)
        except Permanent as error:
            if len(snapshots) == 1:
                await self._keep_object(snapshots[0], error)
                return WriteResult()
            middle = len(snapshots) // 2
            first = await self._halving(write, snapshots[:middle])
            return _sum(first, await self._halving(write, snapshots[middle:]))
        ref = snapshots[0].ref
        self.metrics.inventory.written(ref.cloud, ref.kind, result)
        return result

    async def see(self, seen: Mapping[ResourceRef, datetime]) -> None:
        """Note that reads which began at a time found some objects, without what they look like."""
        if seen:
            await self.inventory.mark_seen(list(seen), at=min(seen.values()))

    async def bury(
        self, gone: Mapping[ResourceRef, datetime], causes: Mapping[ResourceRef, Cause]
    ) -> None:
        """Write tombstones for what reads did not find, dated when each read began.

        What these owned goes along.
        """
        if not gone:
            return
        for ref, cause in (await self.inventory.delete(gone, causes)).items():
            self.metrics.inventory.tombstones.labels(ref.cloud, ref.kind, "read").inc()
            if cause.kind is CauseKind.FULL_PASS:
                self.metrics.passes.drifted(ref.cloud, ref.kind, "vanished")

    async def of_project(
        self, doubted: Mapping[ResourceRef, datetime], project: str | None
    ) -> dict[ResourceRef, datetime]:
        """Return those of some objects that belong to `project` by the inventory."""
        known = await self.inventory.briefs(doubted)
        ours = {ref for ref, brief in known.items() if project and brief.project == project}
        return {ref: at for ref, at in doubted.items() if ref in ours}

    async def keep(self, target: Target, reason: str, *, asked_at: datetime, tries: int) -> None:
        """Make a target that cannot be answered a dead letter; the next full pass repairs it."""
        log.error("target_dead", cloud=target.cloud, kind=target.kind, key=target.key, why=reason)
        self.metrics.targets.dead.labels(target.cloud, target.kind).inc()
        letter = self._letter(reason, target.cloud, orjson.dumps(asdict(target)))
        await self.letters.keep([replace(letter, first_at=asked_at, tries=tries)])

    async def _keep_object(self, snapshot: Snapshot, error: Permanent) -> None:
        log.error("object_dead", ref=str(snapshot.ref), reason=str(error))
        body = orjson.dumps({**snapshot.ref._asdict(), "object": snapshot.object}, default=dict)
        reason = f"{snapshot.ref}: {error}"
        await self.letters.keep([self._letter(reason, snapshot.ref.cloud, body)])

    def _letter(self, reason: str, cloud: str, body: bytes) -> DeadLetter:
        return DeadLetter(ORIGIN, reason, cloud, body, self.clock.now())


def _sum(one: WriteResult, other: WriteResult) -> WriteResult:
    return WriteResult(
        created=one.created + other.created,
        updated=one.updated + other.updated,
        unchanged=one.unchanged + other.unchanged,
        stale=one.stale + other.stale,
        incomplete=one.incomplete | other.incomplete,
    )
