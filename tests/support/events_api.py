"""An Events API in memory, as each release was: Panko 1 to 10, Ceilometer Juno to Mitaka.

Answers by the rules of openstack/panko and openstack/ceilometer (`api/controllers/v2/events.py`):
conditions zipped by position, unknown fields taken for traits, unknown parameters refused, an
unknown marker a 500. An event is there from when it was recorded, under when it was generated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.errors import CloudRefused, CloudUnavailable
from tests.support.clocks import FixedClock

COLUMNS = ("field", "op", "value", "type")
NOTHING = timedelta()


@dataclass(frozen=True)
class Where:
    url: str


@dataclass(frozen=True)
class Release:
    """What a release can and cannot."""

    service_type: str = "event"
    parameters: frozenset[str] = frozenset({"limit", "marker", "sort"})
    all_tenants: bool = True
    only_eq: bool = False
    names: tuple[str, str] = ("start_timestamp", "end_timestamp")


LIMIT = frozenset({"limit"})
RELEASES = {
    "Panko 10": Release(),
    "Panko 4.0.0": Release(only_eq=True),
    "Panko 3": Release(all_tenants=False),
    "Panko 1": Release(parameters=LIMIT, all_tenants=False),
    "Newton": Release("metering", LIMIT, all_tenants=False),
    "Mitaka": Release("metering", LIMIT, all_tenants=False, only_eq=True),
    "Kilo": Release("metering", frozenset(), all_tenants=False),
    "Juno": Release("metering", frozenset(), all_tenants=False, names=("start_time", "end_time")),
}


class EventsAPI:
    """Keeps `services.catcher.sources.events_api.API`."""

    def __init__(
        self,
        clock: FixedClock,
        release: str = "Panko 10",
        *,
        admin: bool = True,
        each_takes: timedelta = NOTHING,
    ) -> None:
        self.release = RELEASES[release]
        self.where: Where | None = Where("http://cloud:8977")
        self.root = "/v2"
        self.admin = admin
        self.failures: list[Exception] = []
        self.requests: list[list[tuple[str, str]]] = []
        self.end: datetime | None = None
        """From then on every question raises EndOfTest."""
        self._clock = clock
        self._each_takes = each_takes
        self._events: list[tuple[datetime, dict[str, Any]]] = []

    def record(
        self, id_: str, generated: datetime, recorded: datetime | None = None, **more: Any
    ) -> None:
        """Have an event appear at `recorded`, at once by default."""
        event = {
            "message_id": id_,
            "event_type": "compute.instance.update",
            "generated": generated.replace(tzinfo=None).isoformat(),
            "traits": [{"name": "instance_id", "type": "string", "value": "server-1"}],
            "raw": {},
        }
        self._events.append((recorded or self._clock.now(), event | more))

    def record_anything(self, item: dict[str, Any]) -> None:
        """Have something appear that need not be an event."""
        self._events.append((self._clock.now(), item))

    def expire(self, before: datetime) -> None:
        """Forget older events, as panko-expirer does."""
        limit = before.replace(tzinfo=None).isoformat()
        self._events = [pair for pair in self._events if pair[1]["generated"] >= limit]

    async def endpoint(self, service_type: str) -> Where | None:
        """See `API`."""
        return self.where if service_type == self.release.service_type else None

    async def body(
        self, service_type: str, path: str, params: Sequence[tuple[str, str]] = ()
    ) -> bytes:
        """See `API`."""
        assert service_type == self.release.service_type
        if self.end is not None and self._clock.now() > self.end:
            raise EndOfTest
        answer = orjson.dumps(self._answer(path, list(params)))
        self._clock.advance(self._each_takes)
        return answer

    def _answer(self, path: str, params: list[tuple[str, str]]) -> Any:
        self.requests.append(params)
        if self.failures:
            raise self.failures.pop(0)
        if path == f"{self.root}/event_types":
            if not self.admin:
                raise CloudRefused("event: 401 Not Authorized", status=401)
            return sorted({event["event_type"] for event in self._there()})
        assert path == f"{self.root}/events"
        return self._list(params)

    def _there(self) -> list[dict[str, Any]]:
        now = self._clock.now()
        rows = [event for recorded, event in self._events if recorded <= now]
        return sorted(rows, key=lambda event: (event["generated"], event.get("message_id", "")))

    def _list(self, params: list[tuple[str, str]]) -> list[dict[str, Any]]:
        plain = {key: value for key, value in params if not key.startswith("q.")}
        if unknown := sorted(set(plain) - self.release.parameters):
            raise CloudRefused(f'400 Unknown argument: "{unknown[0]}"', status=400)
        columns = [[value for key, value in params if key == f"q.{name}"] for name in COLUMNS]
        rows = self._there()
        for condition in zip(*columns, strict=True):
            rows = self._fitting(rows, *condition)
        if plain.get("sort") == "generated:desc":
            rows.reverse()
        if "marker" in plain:
            ids = [event.get("message_id") for event in rows]
            if plain["marker"] not in ids:
                raise CloudUnavailable(f"500 Marker {plain['marker']} not found.")
            rows = rows[ids.index(plain["marker"]) + 1 :]
        limit = int(plain.get("limit", "100")) if "limit" in self.release.parameters else None
        return rows[:limit]

    def _fitting(
        self, rows: list[dict[str, Any]], field: str, op: str, value: str, _: str
    ) -> list[dict[str, Any]]:
        if field == "all_tenants" and self.release.all_tenants and self.admin:
            return rows
        if field not in self.release.names:
            return []  # a trait that no event has
        if op != "eq" and self.release.only_eq:
            raise CloudRefused(f"400 Operator {op}: Only `eq' operator is available", status=400)
        try:
            time = datetime.fromisoformat(value)
        except ValueError as error:
            if self.release.names[0] == "start_time":
                raise AssertionError("Juno would fail") from error
            raise CloudUnavailable(f"500 Unable to parse {value}") from error
        limit = time.isoformat()
        if field == self.release.names[0]:
            return [event for event in rows if event["generated"] >= limit]
        return [event for event in rows if event["generated"] <= limit]


class EndOfTest(Exception):
    """The time of a test is over."""


class MemoryCheckpoint:
    """Keeps `services.catcher.sources.port.Checkpoint` in memory."""

    def __init__(self, position: Mapping[str, Any] | None = None) -> None:
        self.position = position
        self.saved = 0

    async def load(self) -> Mapping[str, Any] | None:
        """See the port."""
        return None if self.position is None else orjson.loads(orjson.dumps(self.position))

    async def save(self, position: Mapping[str, Any]) -> None:
        """See the port."""
        self.saved += 1
        self.position = position


def utc(text: str) -> datetime:
    """Return the time in a checkpoint or event."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
