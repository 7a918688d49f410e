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
from shared.event import Action, Event, Flavour, Level, Phase
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
    if flavour is Flavour.VERSIONED:
        told = unwrapped(told)
        service = catalogue.service_of_namespace(notification.namespace)
    entry = catalogue.lookup(notification.event_type, service)
    reading = entry.readings[flavour]
    phase = _OUTCOMES.get(_outcome(told, flavour), entry.phase)
    texts = {name: read(told) for name, read in reading.texts}
    _complete(texts, notification.context)
    return Event(
        id=notification.message_id,
        cloud=cloud,
        type=notification.event_type,
        time=_time(notification.timestamp, received_at),
        service=_service(entry, service, notification, catalogue),
        publisher=notification.publisher_id,
        priority=notification.priority,
        flavour=flavour,
        action=entry.action,
        phase=phase,
        category=entry.category,
        level=_level(entry, phase, notification.priority),
        known=entry.known,
        subjects=_subjects(cloud, entry, reading, told),
        related=_related(cloud, reading, told),
        synthetic=_is_synthetic(notification.context, told),
        payload=redact(payload),
        **texts,
    )


def _service(
    entry: Entry, service: str | None, notification: Notification, catalogue: Catalogue
) -> str:
    """Return the catalogue's word; for a type it does not know, what namespace or publisher say."""
    if entry.known:
        return entry.service
    return service or catalogue.service_of_publisher(notification.publisher_id)


def _outcome(told: Mapping[str, Any], flavour: Flavour) -> str:
    if flavour is Flavour.CADF or flavour is Flavour.TRAITS:
        outcome = told.get("outcome")
        return outcome if type(outcome) is str else ""
    return ""


def _complete(texts: dict[str, str | None], context: Mapping[str, Any]) -> None:
    """Fill what the payload does not say from the request's context."""
    if context:
        for name, keys in _FROM_CONTEXT:
            if texts.get(name) is None:
                texts[name] = _first_text(context, keys)


_FROM_CONTEXT = (
    ("request_id", ("request_id",)),
    ("project", ("project_id", "project", "tenant_id", "tenant")),
    ("user", ("user_id", "user")),
)
"""What an event has -> the names that releases of oslo.context gave it, best first."""


def _first_text(context: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        value = context.get(key)
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
    found: dict[tuple[str, str], None] = {}
    for kind, collect, deciding, starts in reading.related:
        ids = collect(told)
        if not ids:
            continue
        words = deciding(told) if deciding else None
        for index, id_ in enumerate(ids):
            if id_ and (words is None or _begins(words, index, starts)):
                found[kind, id_] = None
    return tuple([ResourceRef(cloud, kind, id_) for kind, id_ in found])


def _begins(words: Sequence[str | None], index: int, starts: str) -> bool:
    word = words[index] if index < len(words) else None
    return word is not None and word.startswith(starts)


def _level(entry: Entry, phase: Phase, priority: str) -> Level:
    """Return critical for every failure, detail for starts and audits, else the catalogue's."""
    if phase is Phase.ERROR or priority in _FAILED:
        return Level.CRITICAL
    if phase is Phase.START or entry.action is Action.NONE:
        return Level.DETAIL
    return entry.level


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
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return received_at
    return time if _EARLIEST <= time <= received_at + _LATEST_AHEAD else received_at
