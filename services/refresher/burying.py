"""Buries what events say is gone, with what goes along without a word. No API is called here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.refresher.metrics import RefresherMetrics
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.inventory import Inventory
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

# What points at an object that goes, and changes with it without a word: by the field that points.
_POINTING_AT = {
    Kind.PORT: (Kind.FLOATING_IP, "port_id"),
    # Left over only where Cinder's clock is behind ours: its detach seemed older than the read.
    Kind.VOLUME: (Kind.ATTACHMENT, "volume_id"),
}
# What goes in one transaction with an object: by the field that names the object.
_TAKES_ALONG = {
    Kind.FLOATING_IP: (Kind.PORT, "device_id"),
    Kind.ROUTER: (Kind.PORT, "device_id"),
    Kind.NETWORK: (Kind.SUBNET, "network_id"),
    Kind.SECURITY_GROUP: (Kind.SECURITY_GROUP_RULE, "security_group_id"),
    Kind.STACK: (Kind.STACK_RESOURCE, "stack_id"),
}
_MOST = 1000

Asked = tuple[str, str, str, str]
"""What a target asks for: cloud, kind, field and value."""


@dataclass(frozen=True, slots=True)
class Burial:
    """Writes tombstones; raises StoreUnavailable, and may be repeated."""

    inventory: Inventory
    targets: TargetQueue
    metrics: RefresherMetrics

    async def bury(self, gone: Mapping[ResourceRef, str], *, now: datetime) -> frozenset[Asked]:
        """Bury objects, by the events that said so, and return which lists need not be read.

        The tombstones are dated `now`, so that they beat every read that began before.
        """
        if not gone:
            return frozenset()
        causes = {ref: Cause(CauseKind.EVENT, event_id) for ref, event_id in gone.items()}
        await self._delete(causes, now=now)
        answered: set[Asked] = set()
        taken: dict[ResourceRef, Cause] = {}
        # Looked for after the tombstones are written: another copy that tells of one just now looks
        # for them after that (`orphans`), so that one of the two finds the other's word.
        for ref, cause in causes.items():
            if ref.kind not in _TAKES_ALONG:
                continue
            kind, field = _TAKES_ALONG[Kind(ref.kind)]
            along = await self._living(ref, kind, field, now=now)
            # Where none is known a read can be under way that still shows some.
            if along:
                answered.add((ref.cloud, kind, field, ref.id))
            taken |= dict.fromkeys(along, cause)
        await self._delete(taken, now=now)
        return frozenset(answered)

    async def _delete(self, causes: Mapping[ResourceRef, Cause], *, now: datetime) -> None:
        if not causes:
            return
        await self.inventory.delete(dict.fromkeys(causes, now), causes)
        await self.targets.drop(list(causes))
        for ref in causes:
            self.metrics.inventory.tombstones.labels(ref.cloud, ref.kind, CauseKind.EVENT).inc()

    async def orphans(self, told: Iterable[Snapshot]) -> frozenset[ResourceRef]:
        """Return which of some objects, just told, belong to one that is gone.

        They may have gone with it before they were told: late, or in one batch with its end.
        """
        owners: dict[ResourceRef, ResourceRef] = {}
        for snapshot in told:
            for owner, (kind, field) in _TAKES_ALONG.items():
                id_ = snapshot.object.get(field)
                if kind == snapshot.ref.kind and isinstance(id_, str):
                    owners[snapshot.ref] = ResourceRef(snapshot.ref.cloud, owner, id_)
        dead = await self.inventory.dead(owners.values())
        return frozenset(ref for ref, owner in owners.items() if owner in dead)

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
            asked = [
                Target(ref.cloud, kind, BY_ID, one.id, cause, why)
                for one in await self._living(ref, kind, pointer, now=now)
            ]
            await self.targets.ask(
                asked, now=now, merge_window=merge_window, batch_window=batch_window
            )

    async def _living(
        self, ref: ResourceRef, kind: Kind, field: str, *, now: datetime
    ) -> list[ResourceRef]:
        return await self.inventory.unseen_of(
            ref.cloud, kind, field, [ref.id], before=now, most=_MOST
        )
