"""What Cinder's events tell of attachments, which have no events of their own.

The payloads of `volume.attach.end` and `volume.detach.end` hold the rows of the table of
attachments as they are when the event is made (`_usage_from_volume` in Cinder), so that no
list by volume is needed. The volume is read anyway, and shows what is attached: what it does not
show is asked for by id (`services.refresher.follow_up`), so that late events do no harm. What they
tell of a volume that is gone is refused (`shared.store.owning`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.refresher.metrics import RefresherMetrics
from services.refresher.resources.block_storage import ATTACHED, ATTACHMENT, OF_VOLUME
from services.refresher.writing import Writer
from shared.catalogue.paths import unwrapped
from shared.event import Event, Flavour
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.inventory import Inventory

_ATTACH, _DETACH = "volume.attach.end", "volume.detach.end"
_FIELDS = {
    "id": "id",
    "volume_id": "volume_id",
    "instance": "instance_uuid",
    "status": "attach_status",
    "attach_mode": "attach_mode",
    "attached_at": "attach_time",
    "detached_at": "detach_time",
}
"""Of the API, by those of the rows."""
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Attachments:
    """All attachments of a volume, as one event tells them."""

    volume: ResourceRef
    event_id: str
    at: datetime
    told: tuple[Snapshot, ...]
    """What is attached for good."""
    listed: frozenset[str]
    """The ids of all that there were."""
    detached: bool
    """Whether what is not listed was detached; otherwise the event tells only what it lists."""

    @property
    def cause(self) -> Cause:
        """What to give as the reason of changes."""
        return Cause(CauseKind.EVENT, self.event_id)


def attachments_told(event: Event, *, now: datetime, fresh: timedelta) -> Attachments | None:
    """Return what `event`, received by `now`, tells; None where the attachments must be read.

    So they must after what is older than `fresh`, and while one is not attached for good: Cinder
    goes on without a word then. And after what was sent by a clock ahead of ours, as nobody knows
    then what of what we know it came after.
    """
    if event.type not in (_ATTACH, _DETACH) or event.flavour is Flavour.TRAITS:
        return None
    if len(event.subjects) != 1 or event.subjects[0].kind != Kind.VOLUME:
        return None
    at, detached = event.time, event.type == _DETACH
    rows = _rows(event)
    if rows is None or not timedelta(0) <= now - at <= fresh or not (rows or detached):
        return None
    attached = [row for row in rows if row["attach_status"] == ATTACHED]
    if len(attached) < len(rows) and not detached:
        return None
    return Attachments(
        volume=event.subjects[0],
        event_id=event.id,
        at=at,
        # The row of what is being detached can still be there.
        told=() if detached else tuple(_snapshot(event.cloud, row, at) for row in attached),
        listed=frozenset(row["id"] for row in rows),
        detached=detached,
    )


def _rows(event: Event) -> Sequence[Mapping[str, Any]] | None:
    """Return the rows; None when the payload has none, or others than Cinder's table."""
    payload = unwrapped(event.payload) if isinstance(event.payload, dict) else {}
    rows = payload.get("volume_attachment")
    if not isinstance(rows, list):
        return None
    if all(isinstance(row, dict) and _is_whole(row) for row in rows):
        return rows
    return None


def _is_whole(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("id"), str) and all(name in row for name in _FIELDS.values())


def _snapshot(cloud: str, row: Mapping[str, Any], at: datetime) -> Snapshot:
    item = {ours: row[theirs] for ours, theirs in _FIELDS.items()}
    # The API has an empty text where the table has null.
    item |= {name: item[name] or "" for name in ("attached_at", "detached_at")}
    return ATTACHMENT.snapshot(cloud, item, observed_at=at, partial=True)


@dataclass(frozen=True, slots=True)
class AttachmentIntake:
    """Writes what events tell of attachments; raises StoreUnavailable, and may be repeated."""

    inventory: Inventory
    writer: Writer
    metrics: RefresherMetrics

    async def take(self, some: Sequence[Attachments]) -> None:
        """Merge what is attached into the rows, and bury what was detached."""
        for one in sorted(some, key=lambda item: item.at):
            if one.told:
                await self.writer.write(one.told, one.cause)
                self.metrics.inventory.told.labels(one.volume.cloud, Kind.ATTACHMENT).inc(
                    len(one.told)
                )
            if one.detached:
                await self._bury(one)

    async def _bury(self, one: Attachments) -> None:
        """Bury what was known before the event and is not listed; an id never comes back."""
        cloud = one.volume.cloud
        known = await self.inventory.unseen_of(
            cloud, Kind.ATTACHMENT, OF_VOLUME, [one.volume.id], before=one.at, most=_MOST
        )
        await self._delete(one, {ref: one.at for ref in known if ref.id not in one.listed})

    async def _delete(self, one: Attachments, gone: Mapping[ResourceRef, datetime]) -> None:
        tombstones = self.metrics.inventory.tombstones
        for _ in await self.inventory.delete(gone, one.cause):
            tombstones.labels(one.volume.cloud, Kind.ATTACHMENT, CauseKind.EVENT).inc()
