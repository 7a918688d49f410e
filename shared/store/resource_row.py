"""A resource as the inventory holds it: what is known of it, and since when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from shared.resource import ResourceRef


class Version(NamedTuple):
    """Which state of an object a snapshot shows."""

    revision: int | None
    at: datetime

    def beats(self, other: "Version", *, ties: bool) -> bool:
        """Tell whether this is the newer of the two; `ties` says what equal ones are."""
        if self.revision is not None and other.revision is not None:
            if self.revision != other.revision:
                return self.revision > other.revision
            return ties
        return self.at >= other.at if ties else self.at > other.at


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One resource as the inventory holds it."""

    ref: ResourceRef
    name: str | None = None
    project: str | None = None
    status: str | None = None
    object: Mapping[str, Any] | None = None
    """As the API and notifications gave it; None when a deletion is all that was ever heard."""
    revision: int | None = None
    """Of the latest read; a field that a notification told may be of a later one."""
    observed_at: datetime | None = None
    """When the read that gave the object began; None when no read ever did."""
    seen_at: datetime | None = None
    """When the latest read that found it began; None when no read ever did."""
    deleted_at: datetime | None = None
    """None while it lives."""
    told_at: datetime | None = None
    """When the latest notification that described it was sent."""
    told: Mapping[str, Version] = field(default_factory=dict)
    """The fields that a notification newer than the latest read told, and of which version."""
    first_seen: datetime | None = field(default=None, compare=False)
    """When it was first heard of; the database keeps it, the rule has no use for it."""

    @property
    def unknown(self) -> bool:
        """Nothing was ever heard of it."""
        return self.seen_at is None and self.deleted_at is None and self.told_at is None

    @property
    def read(self) -> Version | None:
        """The version of the latest read; None when no read ever found it."""
        return None if self.observed_at is None else Version(self.revision, self.observed_at)
