"""Panko's Events API (and what its predecessor shares with it), polled by timestamp.

A sweep asks for everything generated since the checkpoint less an overlap, page by page with
Panko's marker, oldest first. The overlap is needed because an event appears under the time it was
*generated*, which may lie before what was read already: agents queue, several write at once, clocks
differ. Ids seen within the overlap are remembered, so it repeats nothing; after a restart it does,
and the event's id makes that harmless.

The checkpoint moves when the bus has taken a page. Facts: Panko 10's `api/controllers/v2`: every
condition needs field, op, value and type (they are zipped by position, a missing one is a 500), an
unknown marker is a 500, `limit` has no maximum, values of `start_timestamp` allow only `ge`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

import orjson
import structlog

from services.catcher.decoding.envelope import from_panko
from services.catcher.decoding.notification import Notification
from services.catcher.sources.port import Handover, Unreadable
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable, UnreadableNotification

SERVICE_TYPE = "event"
PAGE = 500
OVERLAP = timedelta(seconds=60)

log = structlog.get_logger(__name__)

Params = list[tuple[str, str]]


class Endpoint(Protocol):
    """Where a service is."""

    @property
    def url(self) -> str:
        """The root of the API, with or without its version."""
        ...


class API(Protocol):
    """What is needed of `shared.openstack.client.CloudClient`."""

    async def endpoint(self, service_type: str) -> Endpoint | None:
        """Return where a service is; None when the cloud's catalogue has none of that type."""
        ...

    async def get(self, service_type: str, path: str, params: Sequence[tuple[str, str]]) -> Any:
        """Return the JSON value of a GET; raises CloudUnavailable or CloudRefused."""
        ...


class Checkpoint(Protocol):
    """Where the position is kept, durably."""

    async def load(self) -> Mapping[str, Any] | None:
        """Return the position saved last, None when there is none."""
        ...

    async def save(self, position: Mapping[str, Any]) -> None:
        """Save the position; returns when it is durable."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin when there is no checkpoint: `since` None means with the oldest event."""

    since: datetime | None
    skip_history: bool = False
    """Begin with what comes after the newest event that Panko has now."""


@dataclass(slots=True)
class _Sweep:
    """One pass over everything since a time."""

    since: datetime | None
    marker: str | None = None


class PankoSource:
    """See `services.catcher.sources.port.Source`."""

    name = "panko"

    def __init__(
        self,
        api: API,
        checkpoint: Checkpoint,
        *,
        start: Start,
        poll_interval: timedelta,
        clock: Clock,
        random: Random,
        backoff: Backoff,
    ) -> None:
        self.trouble: str | None = "not asked yet"
        """See the port."""
        self._api = api
        self._checkpoint = checkpoint
        self._start = start
        self._poll_interval = poll_interval
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._position: datetime | None = None
        self._positioned = False
        self._sweep: _Sweep | None = None
        self._seen: dict[str, datetime] = {}
        self._attempt = 0

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        """See the port. A page is there at once, so `wait` has nothing to wait for."""
        while True:
            if self._sweep is None:
                self._sweep = await self._next_sweep()
            sweep = self._sweep
            limit = min(most, PAGE)
            page = await self._ask(_conditions(sweep, limit))
            if page is None:
                continue
            items = self._advance(sweep, page, limit)
            if items:
                return Handover(tuple(items), self._position)

    async def done(self, handover: Handover) -> None:
        """See the port."""
        if isinstance(handover.token, datetime):
            await self._checkpoint.save({"generated": handover.token.isoformat()})

    async def _next_sweep(self) -> _Sweep:
        """Return the sweep to make now: the first one at once, later ones on time."""
        if not self._positioned:
            await self._find_position()
        elif self._attempt == 0:
            await asyncio.sleep(self._poll_interval.total_seconds())
        since = self._position - OVERLAP if self._position is not None else None
        return _Sweep(since)

    async def _find_position(self) -> None:
        saved = await self._checkpoint.load()
        if saved is not None:
            self._position = datetime.fromisoformat(saved["generated"])
        elif self._start.skip_history:
            # The newest event's time, not our own clock's: the two may differ.
            newest = None
            while newest is None:
                newest = await self._ask(_NEWEST)
            times = [time for time in map(_generated, newest) if time is not None]
            self._position = times[0] if times else self._clock.now()
            self._seen = {
                str(item["message_id"]): time for item, time in zip(newest, times, strict=False)
            }
        else:
            self._position = self._start.since
        self._positioned = True

    async def _ask(self, params: Params) -> list[Any] | None:
        """Return a page; None after trouble, which was waited out."""
        try:
            endpoint = await self._api.endpoint(SERVICE_TYPE)
            if endpoint is None:
                await self._wait_out(f"the cloud has no service of type {SERVICE_TYPE!r} (Panko)")
                return None
            # Catalogues name Panko without its version; discovery may have found it.
            path = "/events" if endpoint.url.rstrip("/").endswith("/v2") else "/v2/events"
            page = await self._api.get(SERVICE_TYPE, path, params)
        except (CloudUnavailable, CloudRefused) as error:
            # A marker whose event has expired is a 500: begin the sweep anew from the time.
            self._sweep = None
            await self._wait_out(str(error))
            return None
        if not isinstance(page, list):
            await self._wait_out(f"{path} answered {type(page).__name__}, not a list of events")
            return None
        self.trouble = None
        self._attempt = 0
        return page

    async def _wait_out(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("source_trouble", source=self.name, reason=trouble)
        self.trouble = trouble
        self._attempt += 1
        await asyncio.sleep(self._backoff.delay_seconds(self._attempt, self._random))

    def _advance(
        self, sweep: _Sweep, page: list[Any], limit: int
    ) -> list[Notification | Unreadable]:
        """Take what is new out of a page, and move on."""
        items: list[Notification | Unreadable] = []
        for item in page:
            id_, generated = _id(item), _generated(item)
            if id_ is not None and id_ in self._seen:
                continue
            items.append(_open(item))
            if id_ is not None and generated is not None:
                self._seen[id_] = generated
                # A time in the future must not carry the position past what is still to come.
                reached = min(generated, self._clock.now())
                self._position = max(reached, self._position or reached)
        sweep.marker = _id(page[-1]) if page else None
        if len(page) < limit or sweep.marker is None:
            self._sweep = None
            self._forget_old_ids()
        return items

    def _forget_old_ids(self) -> None:
        if self._position is not None:
            horizon = self._position - 2 * OVERLAP
            self._seen = {id_: time for id_, time in self._seen.items() if time >= horizon}


_ALL_TENANTS: Params = [
    ("q.field", "all_tenants"),
    ("q.op", "eq"),
    ("q.value", "True"),
    ("q.type", "string"),
]

_NEWEST: Params = [*_ALL_TENANTS, ("sort", "generated:desc"), ("limit", "1")]


def _conditions(sweep: _Sweep, limit: int) -> Params:
    params = [*_ALL_TENANTS, ("limit", str(limit))]
    if sweep.since is not None:
        since = sweep.since.astimezone(UTC).replace(tzinfo=None)
        params += [
            ("q.field", "start_timestamp"),
            ("q.op", "ge"),
            ("q.value", since.isoformat()),
            ("q.type", "datetime"),
        ]
    if sweep.marker is not None:
        params.append(("marker", sweep.marker))
    return params


def _open(item: Any) -> Notification | Unreadable:
    try:
        return from_panko(item)
    except UnreadableNotification as error:
        return Unreadable(orjson.dumps(item), str(error))


def _id(item: Any) -> str | None:
    value = item.get("message_id") if isinstance(item, Mapping) else None
    return value if isinstance(value, str) else None


def _generated(item: Any) -> datetime | None:
    """Return when the event was generated: ISO without zone, which means UTC."""
    value = item.get("generated") if isinstance(item, Mapping) else None
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    except ValueError:
        return None
