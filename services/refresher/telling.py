"""What events themselves tell of objects, so that no API has to be asked, or not at once. Pure.

Payloads lack what policy hides from their caller, and show what agents had done until then. So they
are merged into the rows, field by field (`shared.store.observation`), and say whether a read has
yet to follow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from services.refresher.resources.model import Life, Object, Payload, Resource
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.targets import complete_objects
from shared.event import Action, Event, Flavour, Phase
from shared.resource import ResourceRef
from shared.snapshot import Snapshot

FRESH = timedelta(minutes=1)
"""What is older may have been overtaken by news that we no longer get: it is read as well."""


class Need(Enum):
    """What has to be read after a payload was taken in."""

    NOTHING = auto()
    """It told the whole object."""
    UNLESS_READ = auto()
    """It left out what never changes without being told: only an object never read is read, or one
    that still shows what is told gone."""
    LATER = auto()
    """More events are going to tell: a read now would be thrown away."""
    READ = auto()


@dataclass(frozen=True, slots=True)
class Told:
    """What one event tells of one object."""

    snapshot: Snapshot
    need: Need

    @property
    def ref(self) -> ResourceRef:
        """Which object it is."""
        return self.snapshot.ref

    @property
    def order(self) -> tuple[datetime, int]:
        """Sorts by when it was true: of two of one moment the later written stands."""
        return (self.snapshot.observed_at, self.snapshot.revision or 0)


def told(
    event: Event, catalogue: Catalogue, resources: Mapping[str, Resource], *, now: datetime
) -> list[Told]:
    """Return what `event`, received by `now`, tells of its subjects; often nothing."""
    if event.phase is not Phase.END or event.action not in (Action.CREATE, Action.UPDATE):
        return []
    if event.flavour is Flavour.TRAITS or not isinstance(event.payload, dict):
        return []
    # A clock ahead of ours must not make news win over reads that are yet to come.
    at = min(event.time, now)
    fresh = now - at <= FRESH
    found = []
    for resource, payload, item in _objects(event, catalogue, resources):
        if resource.life(item) is not Life.LIVING:
            continue
        gone = payload.gone(event)
        shaped = resource.shape(item)
        snapshot = resource.snapshot(event.cloud, shaped, observed_at=at, partial=True)
        need = _need(resource, payload, item, told_gone=bool(gone)) if fresh else Need.READ
        found.append(Told(replace(snapshot, gone=gone), need))
    return found


def _objects(
    event: Event, catalogue: Catalogue, resources: Mapping[str, Resource]
) -> Iterator[tuple[Resource, Payload, Object]]:
    resource = resources.get(event.subjects[0].kind) if event.subjects else None
    if resource is None or resource.payload is None:
        return
    payload = resource.payload
    if payload.fields is None:
        for ref, item in complete_objects(event, catalogue):
            if ref.kind == resource.kind and isinstance(item.get("revision_number"), int):
                yield resource, payload, item
        return
    fields = payload.fields(event)
    if fields is not None and len(event.subjects) == 1:
        yield resource, payload, {**fields, "id": event.subjects[0].id}


def _need(resource: Resource, payload: Payload, item: Object, *, told_gone: bool) -> Need:
    if payload.passing(item):
        return Need.LATER
    if told_gone:
        return Need.UNLESS_READ
    if not payload.whole or resource.settling(item):
        return Need.READ
    return Need.NOTHING if payload.hidden <= item.keys() else Need.UNLESS_READ
