"""What reads found out: objects, absences, and which claims are answered. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from services.refresher.planner import C
from services.refresher.resources.model import Life, Object, Resource
from shared.errors import CloudInPart, CloudRefused, CloudUnavailable
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot

WHOLE_AGAIN_SECONDS = 300.0
"""How long what is seen in part is left alone; a cell that is down is not back at once."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list was read to its end: of everything of a kind that has one of `values` in `field`."""

    kind: str
    field: str
    values: tuple[str, ...]
    began: datetime
    cause: Cause
    shown: frozenset[str] = frozenset()
    """Ids that it showed and that are not in the snapshots."""


@dataclass(frozen=True, slots=True)
class Extra:
    """An object that a list showed though nobody asked for it by its id."""

    resource: Resource
    item: Object
    at: datetime
    """When the read began."""
    noted: bool
    """Whether it is in the snapshots; otherwise only its own target says what caused it."""


@dataclass(slots=True)
class Findings(Generic[C]):
    """Of one read, or several; each claim ends up in `settled` or in `failed`."""

    cloud: str
    snapshots: list[Snapshot] = field(default_factory=list)
    gone: dict[ResourceRef, datetime] = field(default_factory=dict)
    """With the time when the read that missed them began."""
    seen: dict[ResourceRef, datetime] = field(default_factory=dict)
    """What is there, but can be shown in part only; with the time when the read began."""
    doubted: dict[ResourceRef, datetime] = field(default_factory=dict)
    """Like `gone`, of what our credentials may not be shown though it lives, but for our project's.
    """
    causes: dict[ResourceRef, Cause] = field(default_factory=dict)
    """Of everything in `snapshots`, `gone` and `doubted`."""
    lists: list[Listed] = field(default_factory=list)
    settling: set[ResourceRef] = field(default_factory=set)
    """Objects about to change without any event (`Resource.settling`)."""
    extras: dict[ResourceRef, Extra] = field(default_factory=dict)
    settled: list[C] = field(default_factory=list)
    failed: list[tuple[C, CloudRefused | CloudUnavailable]] = field(default_factory=list)

    def note(self, resource: Resource, item: Object, cause: Cause, *, at: datetime) -> None:
        """Take in an object that a read gave which began `at`.

        Raises CloudInPart when the cloud itself knows only a part of it now.
        """
        life = resource.life(item)
        id_ = str(resource.id_of(item))
        if life is Life.UNSURE:
            message = f"{resource.kind} {id_} cannot be seen whole: {item.get('status')}"
            raise CloudInPart(message, retry_after_seconds=WHOLE_AGAIN_SECONDS)
        if life is Life.GONE:
            self.miss(resource, id_, cause, at=at)
            return
        snapshot = resource.snapshot(self.cloud, item, observed_at=at)
        self.snapshots.append(snapshot)
        self.causes[snapshot.ref] = cause
        if resource.shows is not None:
            shows = resource.shows
            self.lists.append(Listed(shows.kind, shows.field, (id_,), at, cause, shows.ids(item)))
        if resource.settling(item):
            self.settling.add(snapshot.ref)

    def miss(self, resource: Resource, id_: str, cause: Cause, *, at: datetime) -> None:
        """Note that a read which began `at` learnt that the object is gone."""
        ref = ResourceRef(self.cloud, resource.kind, id_)
        self.gone[ref] = at
        self.causes[ref] = cause

    def doubt(self, resource: Resource, id_: str, cause: Cause, *, at: datetime) -> None:
        """Note that a read which began `at` was not shown the object, which may live elsewhere."""
        ref = ResourceRef(self.cloud, resource.kind, id_)
        self.doubted[ref] = at
        self.causes[ref] = cause

    def show(self, resource: Resource, item: Object, *, at: datetime, noted: bool) -> None:
        """Note an object that is shown unasked; its target, if one waits, is answered by it."""
        id_ = resource.id_of(item)
        if id_ is not None and resource.life(item) is Life.LIVING:
            ref = ResourceRef(self.cloud, resource.kind, id_)
            self.extras[ref] = Extra(resource, item, at, noted)

    def wait(self, claims: Iterable[C], error: CloudInPart) -> None:
        """Note that the cloud cannot show all that `claims` ask for now.

        A full pass only asks whether it is gone, which it is not as far as anybody can tell.
        """
        for claim in claims:
            if Cause.parse(claim.target.cause).kind is CauseKind.FULL_PASS:
                self.settled.append(claim)
            else:
                self.failed.append((claim, error))

    def fail(self, claims: Iterable[C], error: CloudRefused | CloudUnavailable) -> None:
        """Note that `claims` could not be answered."""
        self.failed += [(claim, error) for claim in claims]

    def add(self, other: "Findings[C]") -> None:
        """Take over what another read found out."""
        self.snapshots += other.snapshots
        self.gone |= other.gone
        self.seen |= other.seen
        self.doubted |= other.doubted
        self.causes |= other.causes
        self.lists += other.lists
        self.settling |= other.settling
        self.extras |= other.extras
        self.settled += other.settled
        self.failed += other.failed
