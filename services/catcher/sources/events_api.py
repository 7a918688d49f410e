"""What Panko's Events API and Ceilometer's before it have in common, and asking them questions.

A *dialect* says how one of the two wants to be asked, and what its refusals mean; it is pure. The
reader asks, learns from refusals, and gives pages. Facts: the sources of Ceilometer 2014.1 to 7
and Panko 1 to 10 (`api/controllers/v2/events.py`): conditions are zipped by position, so field, op,
value and type must all be there (one missing is a 500); a time means UTC when it names no zone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
import structlog

from services.catcher.decoding.json_text import parsed
from services.catcher.sources.sweep import Item, Query, Sweep
from shared.errors import CloudRefused, CloudUnavailable, UnreadableNotification

Params = tuple[tuple[str, str], ...]

log = structlog.get_logger(__name__)


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

    async def body(
        self, service_type: str, path: str, params: Sequence[tuple[str, str]] = ()
    ) -> bytes:
        """Return the body of a GET's 200; raises CloudUnavailable or CloudRefused."""
        ...


class Dialect(Protocol):
    """How one kind of API, in one release, wants to be asked; immutable."""

    @property
    def name(self) -> str:
        """What logs, metrics and checkpoints call a source that speaks it."""
        ...

    @property
    def service_type(self) -> str:
        """Its type in Keystone's catalogue."""
        ...

    @property
    def can_sort(self) -> bool:
        """Whether the newest event can be asked for."""
        ...

    @property
    def can_limit(self) -> bool:
        """Whether the number of events can be limited, and the oldest come first."""
        ...

    def sweep(self, since: datetime | None, until: datetime | None) -> Sweep:
        """Return how to read a span of time, from its beginning."""
        ...

    def restored(self, saved: Mapping[str, Any], until: datetime | None) -> Sweep:
        """Return the sweep that `Sweep.saved` described."""
        ...

    def params(self, query: Query, *, newest_first: bool = False) -> Params:
        """Return the parameters that ask `query`."""
        ...

    def learnt(self, refusal: CloudRefused | CloudUnavailable) -> "Dialect | None":
        """Return the dialect of an older release that `refusal` gives away; None: no such thing."""
        ...

    def way_out(self, refusal: CloudRefused) -> str:
        """Return what the operator can do about a refusal, as a clause; empty: nothing known."""
        ...

    async def acquainted(self, reader: "Reader") -> "Dialect":
        """Return the dialect once `reader` answered what no refusal gives away.

        Raises CloudRefused, with the way out, when an empty list only means "not permitted", and
        what `Reader.page` raises.
        """
        ...


def condition(field: str, op: str, value: str, kind: str) -> Params:
    """Return one `q` condition, complete as WSME wants it."""
    return (("q.field", field), ("q.op", op), ("q.value", value), ("q.type", kind))


def spelled(time: datetime) -> str:
    """Return a time as these APIs read it in every release: naive, which means UTC."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat()


class Reader:
    """Asks the Events API of one cloud; learns its dialect as it goes."""

    def __init__(self, api: API, dialect: Dialect, *, cloud: str) -> None:
        self.dialect = dialect
        self.cloud = cloud
        self._api = api

    async def get_acquainted(self) -> None:
        """Ask what no refusal gives away; raises as `Dialect.acquainted` does."""
        self.dialect = await self.dialect.acquainted(self)

    async def page(self, query: Query) -> list[Item]:
        """Return the answer to `query`.

        Raises CloudUnavailable and CloudRefused, the latter with the way out where one is known.
        """
        return await self._ask(query)

    async def newest(self) -> Item | None:
        """Return the newest event; None when there is none. Only where `dialect.can_sort`."""
        return next(iter(await self._ask(Query(None, None, 1), newest_first=True)), None)

    async def oldest(self) -> Item | None:
        """Return the oldest event; None when there is none. Only where `dialect.can_limit`."""
        return next(iter(await self._ask(Query(None, None, 1))), None)

    async def get(self, path: str, params: Params = ()) -> Any:
        """Return the JSON value at `path` below `/v2`; raises as `page` does."""
        service_type = self.dialect.service_type
        endpoint = await self._api.endpoint(service_type)
        if endpoint is None:
            raise CloudUnavailable(
                f"cloud {self.cloud} has no service of type {service_type!r} in its catalogue, "
                f"so {self.dialect.name} cannot be read; choose another `source`"
            )
        # Catalogues name these services without a version; discovery may have found it.
        root = "" if endpoint.url.rstrip("/").endswith("/v2") else "/v2"
        body = await self._api.body(service_type, f"{root}{path}", params)
        try:
            return parsed(body, f"{service_type}: GET {root}{path}: the answer")
        except UnreadableNotification as error:
            # A proxy's page, or half an answer.
            raise CloudUnavailable(str(error)) from error

    async def _ask(self, query: Query, *, newest_first: bool = False) -> list[Item]:
        while True:
            try:
                answer = await self.get(
                    "/events", self.dialect.params(query, newest_first=newest_first)
                )
            except (CloudRefused, CloudUnavailable) as error:
                learnt = self.dialect.learnt(error)
                if learnt is None:
                    if isinstance(error, CloudRefused):
                        raise self._explained(error) from error
                    raise
                log.info("events_api_older", cloud=self.cloud, source=learnt.name, told=str(error))
                self.dialect = learnt
                continue
            if not isinstance(answer, list):
                told = type(answer).__name__
                raise CloudUnavailable(f"{self.dialect.name} answered {told}, no list of events")
            return [item_of(content) for content in answer]

    def _explained(self, refusal: CloudRefused) -> CloudRefused:
        way_out = self.dialect.way_out(refusal)
        if not way_out:
            return refusal
        return CloudRefused(f"{refusal}: {way_out}", status=refusal.status, detail=refusal.detail)


def item_of(content: Any) -> Item:
    """Return one entry of an answer, whatever it is."""
    id_: Any = None
    generated: Any = None
    if isinstance(content, Mapping):
        id_, generated = content.get("message_id"), content.get("generated")
    if not isinstance(id_, str) or not id_:
        text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return Item(hashlib.sha256(text).hexdigest(), None, _time(generated), content)
    return Item(id_, id_, _time(generated), content)


def _time(text: Any) -> datetime | None:
    """Return the time that an event carries; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
