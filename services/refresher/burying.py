"""Buries what events say is gone, with what it owned. No API is called here."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.refresher.metrics import RefresherMetrics
from shared.owners import kinds_above
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind
from shared.store.inventory import Inventory
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

# What points at an object that goes, and changes with it without a word: by the field that points.
_POINTING_AT = {Kind.PORT: (Kind.FLOATING_IP, "port_id")}
_MOST = 1000


def asks_below(target: Target, gone: Container[ResourceRef]) -> bool:
    """Tell whether a target asks for a list of what something owned that is gone: there is none.

    One that is under way may still show some, which are not written (`shared.store.owning`).
    """
    return target.by != BY_ID and any(
        ResourceRef(target.cloud, owner, target.key) in gone for owner in kinds_above(target.kind)
    )


@dataclass(frozen=True, slots=True)
class Burial:
    """Writes tombstones; raises StoreUnavailable, and may be repeated."""

    inventory: Inventory
    targets: TargetQueue
    metrics: RefresherMetrics

    async def bury(self, gone: Mapping[ResourceRef, str], *, now: datetime) -> None:
        """Bury objects, by the events that said so, with what they owned.

        The tombstones are dated `now`, so that they beat every read that began before. What is
        asked about the owned is left alone: one that had another owner by then is found by it.
        """
        if not gone:
            return
        causes = {ref: Cause(CauseKind.EVENT, event_id) for ref, event_id in gone.items()}
        ended = await self.inventory.delete(dict.fromkeys(gone, now), causes)
        await self.targets.drop(list(gone))
        for ref in causes.keys() | ended.keys():
            self.metrics.inventory.tombstones.labels(ref.cloud, ref.kind, CauseKind.EVENT).inc()

    async def ask_for_pointing(
        self,
        gone: Mapping[ResourceRef, str],
        *,
        now: datetime,
        merge_window: timedelta,
        batch_window: timedelta,
    ) -> None:
        """Ask for what the inventory has pointing at what is gone; mostly there is nothing."""
        for ref, event_id in gone.items():
            if ref.kind not in _POINTING_AT:
                continue
            kind, pointer = _POINTING_AT[Kind(ref.kind)]
            cause = str(Cause(CauseKind.EVENT, event_id))
            why = f"pointed at a {ref.kind} that is gone"
            pointing = await self.inventory.unseen_of(
                ref.cloud, kind, pointer, [ref.id], before=now, most=_MOST
            )
            asked = [Target(ref.cloud, kind, BY_ID, one.id, cause, why) for one in pointing]
            await self.targets.ask(
                asked, now=now, merge_window=merge_window, batch_window=batch_window
            )
