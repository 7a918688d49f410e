"""Panko: the events that Ceilometer's agent made of the notifications, in the order it serves them.

Only the topic `notifications`, and of it only the priorities info and error, become events. They
are kept as JSON text, since they are written once and read as they are.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random

import orjson

from services.simulator.notification import NOTIFICATIONS, Json, Notification
from services.simulator.settings import EventMisbehaviour
from services.simulator.traits import traits_of

_RECORDED = frozenset({"INFO", "ERROR"})
Position = tuple[datetime, str]
"""Where an event stands in the default sort: `generated`, then `message_id`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; the ids are those of its traits, None where it has no such trait."""

    position: Position
    event_type: str
    project_id: str | None
    user_id: str | None
    body: bytes


class EventStore:
    """The events that can be seen, and those that are not recorded yet."""

    def __init__(self, random: Random, *, store_raw: bool, kept: int) -> None:
        self.misbehaviour = EventMisbehaviour()
        self._random = random
        self._store_raw = store_raw
        self._kept = kept
        self._positions: list[Position] = []
        self._events: dict[str, Event] = {}
        self._pending: list[tuple[datetime, Position, Event]] = []

    def record(self, notification: Notification, now: datetime) -> None:
        """Make an event of a notification, at once or, when misbehaving, later."""
        message = notification.message
        if notification.topic != NOTIFICATIONS or message["priority"] not in _RECORDED:
            return
        event = make_event(message, raw=self._store_raw)
        behaviour = self.misbehaviour
        if behaviour.recorded_late and self._random.random() < behaviour.recorded_late:
            due = now + timedelta(seconds=behaviour.late_by)
            heappush(self._pending, (due, event.position, event))
        else:
            self._add(event)

    def visible(self, now: datetime) -> list[Position]:
        """Return the positions of all recorded events, ascending; the list is the store's own."""
        while self._pending and self._pending[0][0] <= now:
            self._add(heappop(self._pending)[2])
        return self._positions

    def get(self, message_id: str) -> Event | None:
        """Return a recorded event."""
        return self._events.get(message_id)

    def all(self) -> list[Event]:
        """Return every event, in the order of Panko's sort; those not recorded yet come last."""
        return [
            *(self._events[message_id] for _, message_id in self._positions),
            *(event for _, _, event in self._pending),
        ]

    def restore(self, events: Iterable[Event]) -> None:
        """Record the events of an earlier store."""
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        message_id = event.position[1]
        if message_id in self._events:
            return
        self._events[message_id] = event
        insort(self._positions, event.position)
        # Expiring in slices keeps it cheap; real expiry is a cron job, too.
        surplus = len(self._positions) - self._kept
        if surplus > max(100, self._kept // 20):
            for position in self._positions[:surplus]:
                del self._events[position[1]]
            del self._positions[:surplus]


def between(
    positions: list[Position], start: datetime | None, end: datetime | None
) -> tuple[int, int]:
    """Return the slice of `positions` whose times are in [start, end], both ends included."""
    low = 0 if start is None else bisect_left(positions, (start, ""))
    high = len(positions) if end is None else bisect_right(positions, (end, "~"))
    return low, high


def make_event(message: Json, *, raw: bool) -> Event:
    """Return the event that Ceilometer's stock definitions make of a notification."""
    generated = datetime.fromisoformat(message["timestamp"])
    traits = traits_of(message)
    values = {name: value for name, _, value in traits}
    message_id = message["message_id"]
    body = {
        "message_id": message_id,
        "event_type": message["event_type"],
        "generated": generated.isoformat(),
        "traits": [{"name": name, "type": kind, "value": value} for name, kind, value in traits],
        "raw": _raw(message) if raw else {},
    }
    return Event(
        (generated.replace(tzinfo=UTC), message_id),
        message["event_type"],
        values.get("project_id"),
        values.get("user_id"),
        orjson.dumps(body),
    )


def _raw(message: Json) -> Json:
    """Return the message as Ceilometer's listener sees it."""
    return {
        "ctxt": {
            key.removeprefix("_context_"): value
            for key, value in message.items()
            if key.startswith("_context_")
        },
        "publisher_id": message["publisher_id"],
        "event_type": message["event_type"],
        "payload": message["payload"],
        "metadata": {"message_id": message["message_id"], "timestamp": message["timestamp"]},
    }
