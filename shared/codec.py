"""Event to bytes and back: CloudEvents 1.0 in structured JSON mode, single or as a batch.

`application/cloudevents+json` for one event, `application/cloudevents-batch+json` for several, so
that any CloudEvents client can consume the bus. CloudEvents attributes carry what a filter needs;
`data` carries the rest of the event and, under `payload`, what the service sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.errors import UnreadableEvent
from shared.event import Action, Event, Flavour, Level, Occasion, Phase
from shared.resource import ResourceRef

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_OPTIONAL = ("name", "project", "user", "request_id", "host", "zone", "old_state", "state")
_TEXTS = ("id", "cloud", "type", "canonical", "service", "publisher", "priority", "category")
"""What consumers compare and count by, so that anything else would end them."""


def routing_key(event: Event) -> str:
    """Return `<cloud>.<event type>`, so that a consumer can bind `prod.compute.instance.#`.

    AMQP limits a routing key to 255 bytes; longer ones are cut, which only widens a binding.
    """
    return f"{event.cloud}.{event.type}".encode()[:255].decode(errors="ignore")


def encode(event: Event) -> bytes:
    """Return the event as one CloudEvent."""
    return orjson.dumps(to_cloudevent(event))


def encode_batch(events: Sequence[Event]) -> bytes:
    """Return the events as a CloudEvents batch, in order."""
    return orjson.dumps([to_cloudevent(event) for event in events])


def decode(body: bytes, content_type: str | None) -> tuple[Event, ...]:
    """Return the events of one message.

    Raises UnreadableEvent, naming what is missing, when the body is not an event of ours.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEvent(f"the message is not JSON: {error}") from error
    items = value if content_type == BATCH else [value]
    if not isinstance(items, list):
        raise UnreadableEvent(f"a {BATCH} message holds {type(items).__name__}, not a list")
    return tuple(from_cloudevent(item) for item in items)


def split(body: bytes, content_type: str | None) -> list[bytes]:
    """Return the items of a batch as messages of their own; nothing for what is no batch."""
    try:
        items = orjson.loads(body) if content_type == BATCH else None
        return [orjson.dumps(item) for item in items] if isinstance(items, list) else []
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return []


def to_cloudevent(event: Event) -> dict[str, Any]:
    """Return the event as the JSON object of a CloudEvent."""
    subject = event.subject
    data: dict[str, Any] = {
        "canonical": event.canonical,
        "publisher": event.publisher,
        "flavour": event.flavour,
        "action": event.action,
        "phase": event.phase,
        "category": event.category,
        "level": event.level,
        "known": event.known,
        "subjects": [[ref.kind, ref.id] for ref in event.subjects],
        "related": [[ref.kind, ref.id] for ref in event.related],
    }
    for key in _OPTIONAL:
        value = getattr(event, key)
        if value is not None:
            data[key] = value
    data["payload"] = event.payload
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/openstack/{event.cloud}/{event.service}",
        "type": event.type,
        "time": event.time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        **({"subject": str(subject)} if subject else {}),
        "datacontenttype": "application/json",
        "cloud": event.cloud,
        "service": event.service,
        "priority": event.priority,
        **({"synthetic": True} if event.synthetic else {}),
        **({"occasion": event.occasion} if event.occasion is not Occasion.NEWS else {}),
        "data": data,
    }


def from_cloudevent(item: Any) -> Event:
    """Return the event that `to_cloudevent` was given; raises UnreadableEvent."""
    try:
        data = item["data"]
        cloud = item["cloud"]
        event = Event(
            id=item["id"],
            cloud=cloud,
            type=item["type"],
            canonical=data.get("canonical", item["type"]),
            time=datetime.fromisoformat(item["time"]).astimezone(UTC),
            service=item["service"],
            publisher=data["publisher"],
            priority=item["priority"],
            flavour=Flavour(data["flavour"]),
            action=Action(data["action"]),
            phase=Phase(data["phase"]),
            category=data["category"],
            level=Level(data["level"]),
            known=data["known"],
            subjects=tuple(ResourceRef(cloud, kind, id_) for kind, id_ in data["subjects"]),
            related=tuple(ResourceRef(cloud, kind, id_) for kind, id_ in data["related"]),
            synthetic=item.get("synthetic", False),
            occasion=Occasion(item.get("occasion", Occasion.NEWS)),
            payload=data["payload"],
            **{key: data[key] for key in _OPTIONAL if key in data},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableEvent(f"not an osevents CloudEvent: {error!r}") from error
    for name in _TEXTS:
        if type(getattr(event, name)) is not str:
            told = type(getattr(event, name)).__name__
            raise UnreadableEvent(f"not an osevents CloudEvent: {name} is {told}, not text")
    return event
