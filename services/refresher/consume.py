"""Events in: what they say is gone becomes tombstones, what they touched becomes targets.

No API is called here. The bus is told "done" (by `shared.bus.consuming`) after both are committed;
doing it twice is harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.refresher.metrics import RefresherMetrics
from services.refresher.resources.port import Resource
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.targets import deletions, targets
from shared.clock import Clock
from shared.errors import Permanent
from shared.event import Event
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind
from shared.store.inventory import Inventory
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

# What pure code raises on a payload that nobody foresaw.
_NOT_FORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes events in for the clouds that have a merge window."""

    catalogue: Catalogue
    resources: Mapping[str, Resource]
    merge_windows: Mapping[str, timedelta]
    targets: TargetQueue
    inventory: Inventory
    clock: Clock
    metrics: RefresherMetrics

    async def handle(self, events: Sequence[Event]) -> None:
        """Commit the effects of `events`; raises StoreUnavailable, and Permanent for a poison."""
        ours = [event for event in events if event.cloud in self.merge_windows]
        for event in events:
            if event.cloud not in self.merge_windows:
                self.metrics.foreign_events.labels(event.cloud).inc()
        gone, asked = self._effects(ours)
        await self._bury(gone)
        await self._ask(asked)

    def _effects(self, events: Sequence[Event]) -> tuple[dict[ResourceRef, str], list[Target]]:
        """Return what is gone, with the event that said so, and what must be read."""
        gone: dict[ResourceRef, str] = {}
        asked: list[Target] = []
        for event in events:
            try:
                gone |= {
                    ref: event.id
                    for ref in deletions(event, self.catalogue)
                    if ref.kind in self.resources
                }
                asked += targets(event, self.catalogue)
            except _NOT_FORESEEN as error:
                message = f"event {event.id} ({event.type}) cannot be understood: {error!r}"
                raise Permanent(message) from error
        return gone, [target for target in asked if not _is_gone(target, gone)]

    async def _bury(self, gone: Mapping[ResourceRef, str]) -> None:
        """Write tombstones dated now, so that they beat every read that began before."""
        if not gone:
            return
        causes = {ref: Cause(CauseKind.EVENT, event_id) for ref, event_id in gone.items()}
        await self.inventory.delete(dict.fromkeys(gone, self.clock.now()), causes)
        await self.targets.drop(list(gone))
        for ref in gone:
            self.metrics.tombstones.labels(ref.cloud, ref.kind, CauseKind.EVENT).inc()

    async def _ask(self, asked: Sequence[Target]) -> None:
        by_cloud: dict[str, list[Target]] = {}
        for target in asked:
            if target.kind in self.resources:
                by_cloud.setdefault(target.cloud, []).append(target)
                self.metrics.asked.labels(target.cloud, target.kind).inc()
            else:
                self.metrics.unreadable.labels(target.cloud, target.kind).inc()
        for cloud, some in by_cloud.items():
            await self.targets.ask(
                some, now=self.clock.now(), merge_window=self.merge_windows[cloud]
            )


def _is_gone(target: Target, gone: Mapping[ResourceRef, str]) -> bool:
    return target.by == BY_ID and ResourceRef(target.cloud, target.kind, target.key) in gone
