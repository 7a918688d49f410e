"""What the timeline is asked and what it answers: filters, rows, positions."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import asyncpg
import orjson

from shared.event import Action, Event, Flavour, Level, Occasion, Phase
from shared.resource import ResourceRef

Order = Literal["newest", "oldest"]
"""Which end of the timeline comes first."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows of the timeline; take it from `TimelineRow.position`."""

    time: datetime
    id: str
    cloud: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around one object: others, and when they count."""

    objects: tuple[str, ...]
    """Others as `kind/id`; their own events count, not those that only name them."""
    windows: tuple[tuple[datetime, datetime], ...]
    """From and to, both included; nothing outside of them counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFilter:
    """Which events; None, or nothing in a tuple, means any. Everything given must hold."""

    cloud: str | None = None
    since: datetime | None = None
    """Not before this moment."""
    until: datetime | None = None
    """Before this moment."""
    types: tuple[str, ...] = ()
    """One of these event types, as sent or canonical; `*` is anything: `compute.instance.*`."""
    categories: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    kind: str | None = None
    """The subject's; with `id`: events that have this object as subject or related."""
    id: str | None = None
    around: Surroundings | None = None
    """With `kind` and `id`: also what happened to these."""
    project: str | None = None
    user: str | None = None
    request_id: str | None = None
    host: str | None = None
    service: str | None = None
    state: str | None = None
    """The subject's state as told, upper or lower case."""
    text: str | None = None
    """Words of the name and of the failure told, the last of them perhaps only begun; or each of
    them part of the type."""
    synthetic: bool | None = None
    once: bool = False
    """Show once what came under two names, as with Nova's `notification_format = both`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One event of the timeline; the fields mean what those of `shared.event.Event` mean."""

    cloud: str
    id: str
    time: datetime
    type: str
    canonical: str
    service: str
    publisher: str
    priority: str
    flavour: str
    category: str
    level: str
    action: str
    phase: str
    known: bool
    synthetic: bool
    subject_kind: str | None
    subject_id: str | None
    refs: tuple[str, ...]
    """All subjects and related objects as `kind/id`, the subject first."""
    subjects: int
    """How many of `refs`, from the first, are subjects."""
    name: str | None
    project: str | None
    user_id: str | None
    request_id: str | None
    host: str | None
    zone: str | None
    old_state: str | None
    state: str | None
    message: str | None
    """What the payload says in words, mostly about a failure."""
    payload: Any
    recorded_at: datetime
    """When we wrote it down."""

    @property
    def position(self) -> Position:
        """Where to go on after this row."""
        return Position(self.time, self.id, self.cloud)

    def event(self, occasion: Occasion) -> Event:
        """Return the event that was written down."""
        refs = [ResourceRef(self.cloud, *ref.split("/", 1)) for ref in self.refs]
        return Event(
            id=self.id,
            cloud=self.cloud,
            type=self.type,
            canonical=self.canonical,
            time=self.time,
            service=self.service,
            publisher=self.publisher,
            priority=self.priority,
            flavour=Flavour(self.flavour),
            action=Action(self.action),
            phase=Phase(self.phase),
            category=self.category,
            level=Level(self.level),
            known=self.known,
            subjects=tuple(refs[: self.subjects]),
            related=tuple(refs[self.subjects :]),
            name=self.name,
            project=self.project,
            user=self.user_id,
            request_id=self.request_id,
            host=self.host,
            zone=self.zone,
            old_state=self.old_state,
            state=self.state,
            synthetic=self.synthetic,
            occasion=occasion,
            payload=self.payload,
        )


_FIELDS = tuple(field.name for field in fields(TimelineRow))


def timeline_row(row: asyncpg.Record) -> TimelineRow:
    """Return a row of `events`, whatever stands beside its columns."""
    values = {name: row[name] for name in _FIELDS}
    values["canonical"] = row["canonical"] or row["type"]
    values["time"] = in_utc(row["time"])
    values["refs"] = tuple(row["refs"])
    values["payload"] = orjson.loads(row["payload"])
    return TimelineRow(**values)


def in_utc(moment: datetime) -> datetime:
    """Return `moment` with its zone, which the driver leaves out of the last moment of all."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
