"""What was observed of a resource, and what a write made of it.

A snapshot is the object as an API (or a complete payload) gave it, at a moment. Moments decide:
an older observation never replaces a newer one, see `Snapshot.observed_at`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.resource import ResourceRef


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One object as observed."""

    ref: ResourceRef
    name: str | None
    project: str | None
    status: str | None
    object: Mapping[str, Any]
    """As the API gave it."""
    observed_at: datetime
    """When the read *began*, by our clock: whatever happened later is not in it. Of a notification:
    when it was sent, as far as its clock can be believed (never later than we got it)."""
    revision: int | None = None
    """Neutron's `revision_number`; None for services without one."""
    partial: bool = False
    """Told by a notification: a field (or name, project, status) that is absent is not told."""
    hidden: frozenset[str] = frozenset()
    """Fields that policy kept from whoever read it: what is known of them stays."""
    gone: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Told by a notification: ids of elements, by the field that listed them, that are no more. Of
    fields that notifications never tell whole."""


class CauseKind(StrEnum):
    """Who made us look."""

    EVENT = "event"
    FULL_PASS = "pass"  # noqa: S105 - not a password
    REQUEST = "request"
    """A person, by `osevents refresh`."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a row changed: the event (its id), the full pass (its id) or a person's request."""

    kind: CauseKind
    id: str

    def __str__(self) -> str:
        return self.id if self.kind is CauseKind.EVENT else f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cause":
        """Read what `str` wrote, as `Target.cause` holds it: an event's id stands for itself."""
        kind, _, id_ = text.partition(":")
        if id_ and kind in (CauseKind.FULL_PASS, CauseKind.REQUEST):
            return cls(CauseKind(kind), id_)
        return cls(CauseKind.EVENT, text)


class ChangeKind(StrEnum):
    """What became of a resource."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"
    """A later read found what we held for deleted."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of a resource; `field`, `old` and `new` are None except for UPDATED."""

    ref: ResourceRef
    at: datetime
    kind: ChangeKind
    field: str | None
    old: Any
    new: Any
    cause: Cause
