"""The event: a notification, normalised; the same shape whatever source and flavour it came from.

Events are values. The catcher makes them (`services.catcher.decoding`), the bus carries them
(`shared.codec` gives their wire form), everybody else only reads them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.resource import ResourceRef


class Action(StrEnum):
    """What the event says happened to its subject."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"
    """Nothing changed: audits (`*.exists`), meters, scheduler notes."""


class Phase(StrEnum):
    """Which moment of the operation the event marks."""

    START = "start"
    PROGRESS = "progress"
    END = "end"
    """Also for events without phases: what they tell has happened."""
    ERROR = "error"


class Level(StrEnum):
    """How prominent the event is on a timeline; ManageIQ's three levels."""

    CRITICAL = "critical"
    WARNING = "warning"
    DETAIL = "detail"


class Flavour(StrEnum):
    """In which form the notification came."""

    LEGACY = "legacy"
    """Unversioned oslo.messaging notification."""
    VERSIONED = "versioned"
    """oslo.versionedobjects payload (`nova_object.data` and its like)."""
    CADF = "cadf"
    """Cloud Auditing Data Federation payload (Keystone, audit middleware)."""
    TRAITS = "traits"
    """A Panko or Ceilometer event: flat traits, perhaps no payload."""


class Occasion(StrEnum):
    """Why the event is on the bus now."""

    NEWS = "news"
    """It has just happened, or was missed until now."""
    HISTORY = "history"
    """Long past, loaded from what the source had kept: for the timeline, nothing to react to."""
    REPLAY = "replay"
    """Sent again from the timeline, to one group of consumers."""


class Event(NamedTuple):
    """One thing that happened in a cloud; made with keywords only.

    A named tuple and no frozen dataclass, because every service makes one for each event, and this
    takes less than half the time.
    """

    id: str
    """The notification's `message_id`: the same through every source, the key of every dedupe."""
    cloud: str
    type: str
    """As the service named it, e.g. `instance.create.end`."""
    canonical: str
    """The name for this whichever way it came: `compute.instance.create.end` for both of Nova's
    formats. The type itself where it has no other name."""
    time: datetime
    """When the service says it happened; UTC. The time of receipt where it says nothing usable."""
    service: str
    """Which OpenStack service: compute, network, block-storage, image, identity, ...; `unknown`."""
    publisher: str
    """`publisher_id` as sent (`compute.host1`); empty where the service sends none."""
    priority: str
    """Lower case: audit, debug, info, warn, error, critical, sample."""
    flavour: Flavour
    action: Action
    phase: Phase
    category: str
    """Group on the timeline, ManageIQ's names: addition, power, network, ..., other."""
    level: Level
    known: bool
    """False when no catalogue entry names the type, so that what is said here was guessed."""
    subjects: tuple[ResourceRef, ...] = ()
    """What it is about: one object as a rule, several for a bulk create, perhaps none."""
    related: tuple[ResourceRef, ...] = ()
    """Other objects that the payload names: a port's server and network, a volume's server."""
    name: str | None = None
    """The subject's name where told."""
    project: str | None = None
    user: str | None = None
    request_id: str | None = None
    host: str | None = None
    zone: str | None = None
    old_state: str | None = None
    state: str | None = None
    synthetic: bool = False
    """Made for a test or demonstration, not by a service."""
    occasion: Occasion = Occasion.NEWS
    payload: Any = None
    """What the service sent, any JSON value, secrets removed; traits as an object for TRAITS."""

    @property
    def subject(self) -> ResourceRef | None:
        """The first subject: the one a timeline row shows."""
        return self.subjects[0] if self.subjects else None
