"""Makes events of notifications: who, what, where, told by the catalogue's paths. Never fails.

Whatever JSON a payload is, an event comes out; what cannot be found in it is left out. Secrets are
removed here, so that they never leave the catcher.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.catcher.decoding.notification import Notification
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.model import Entry, Reading
from shared.catalogue.paths import unwrapped
from shared.event import Event, Level, Phase
from shared.redaction import redact
from shared.resource import ResourceRef

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
"""OpenStack's first release; older times are clocks that were never set."""
_LATEST_AHEAD = timedelta(days=1)
_FAILED = frozenset({"error", "critical"})
_OUTCOMES = {"failure": Phase.ERROR, "pending": Phase.START}
"""CADF says the phase by the outcome (Magnum sends one type for all three)."""
_TRUE = frozenset({"true", "1", "yes"})
_NOTHING: dict[str, Any] = {}


def normalise(
    notification: Notification, *, cloud: str, received_at: datetime, catalogue: Catalogue
) -> Event:
    """Return the event of `notification`; `received_at` stands in for an unusable timestamp."""
    flavour, payload = notification.flavour, notification.payload
    told: dict[str, Any] = payload if type(payload) is dict else _NOTHING
    service = None
    if notification.namespace:
        told = unwrapped(told)
        service = catalogue.service_of_namespace(notification.namespace)
    entry = catalogue.lookup(notification.event_type, service)
    reading = entry.readings[flavour]
    phase = entry.phase
    if reading.outcome:
        phase = _OUTCOMES.get(reading.outcome(told) or "", phase)
    name, project, user, request_id, host, zone, old_state, state = [
        read and read(told) for read in reading.texts
    ]
    context, failed = notification.context, notification.priority in _FAILED
    return Event(
        id=notification.message_id,
        cloud=cloud,
        type=notification.event_type,
        canonical=entry.canonical,
        time=_time(notification.timestamp, received_at),
        service=entry.service if entry.known else _service(service, notification, catalogue),
        publisher=notification.publisher_id,
        priority=notification.priority,
        flavour=flavour,
        action=entry.action,
        phase=phase,
        category=entry.category,
        level=entry.level if phase is entry.phase and not failed else _level(phase, failed=failed),
        known=entry.known,
        subjects=_subjects(cloud, entry, reading, told),
        related=_related(cloud, reading, told),
        name=name,
        project=project or _first_text(context, _PROJECT_KEYS),
        user=user or _first_text(context, _USER_KEYS),
        request_id=request_id or _first_text(context, _REQUEST_KEYS),
        host=host,
        zone=zone,
        old_state=old_state,
        state=state,
        synthetic=_is_synthetic(context, told),
        payload=redact(payload),
    )


def _service(service: str | None, notification: Notification, catalogue: Catalogue) -> str:
    """Return what namespace or publisher say of a type that the catalogue does not know."""
    return service or catalogue.service_of_publisher(notification.publisher_id)


# The names that releases of oslo.context gave them, best first; they say what the payload does not.
_REQUEST_KEYS = ("request_id",)
_PROJECT_KEYS = ("project_id", "project", "tenant_id", "tenant")
_USER_KEYS = ("user_id", "user")


def _first_text(told: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        value = told.get(key)
        if type(value) is str and value:
            return value
    return None


def _subjects(
    cloud: str, entry: Entry, reading: Reading, told: dict[str, Any]
) -> tuple[ResourceRef, ...]:
    kind = reading.kind(told) if reading.kind else entry.kind
    if not kind:
        return ()
    return tuple([ResourceRef(cloud, kind, id_) for id_ in reading.subjects(told) if id_])


def _related(cloud: str, reading: Reading, told: dict[str, Any]) -> tuple[ResourceRef, ...]:
    found = [
        ResourceRef(cloud, kind, id_)
        for kind, collect in reading.related
        for id_ in collect(told)
        if id_
    ]
    return tuple(dict.fromkeys(found) if len(found) > 1 else found)


def _level(phase: Phase, *, failed: bool) -> Level:
    """Return the level of an event that says something else than its type does."""
    return Level.CRITICAL if failed or phase is Phase.ERROR else Level.DETAIL


def _is_synthetic(context: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    mark = (
        context.get("osevents_synthetic")
        or told.get("_context_osevents_synthetic")
        or told.get("osevents_synthetic")
    )
    return mark is True or str(mark).lower() in _TRUE


def _time(text: str, received_at: datetime) -> datetime:
    """Return the time that `text` spells; naive is UTC, as oslo.messaging means it."""
    try:
        # Naive is the rule; with the zone in the text, the parser gives an aware time at once.
        time = datetime.fromisoformat(f"{text}Z")
    except ValueError:
        time = _zoned_time(text) or received_at
    return time if _EARLIEST <= time <= received_at + _LATEST_AHEAD else received_at


def _zoned_time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
