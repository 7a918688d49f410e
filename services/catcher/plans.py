"""How each source is opened: a plan for each way to a cloud's notifications.

A new kind of source is a class here (or beside its source) that keeps `Plan`; the catcher knows no
more of it than that.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from services.catcher.history import History
from services.catcher.metrics import CatcherMetrics
from services.catcher.missed import Missed
from services.catcher.sources.amqp import open_amqp_source
from services.catcher.sources.amqp_queue import Subscription
from services.catcher.sources.events_api import API, Dialect, Reader
from services.catcher.sources.last_read import LastRead
from services.catcher.sources.pager import Pager
from services.catcher.sources.polled import PolledSource
from services.catcher.sources.port import OnGap, Source
from services.catcher.sources.webhook import WebhookSource
from services.catcher.sources.webhook_listener import Credentials, Route, WebhookListener
from services.catcher.turn import Leisure
from shared.amqp.address import Address
from shared.backoff import Backoff
from shared.clock import Clock
from shared.store.checkpoints import Checkpoints
from shared.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the catcher lends to whoever opens a source."""

    database: Database
    clock: Clock
    random: Random
    backoff: Backoff
    metrics: CatcherMetrics
    on_gap: Callable[[str, str], OnGap]
    """Of a cloud and a source's name: whom to tell of gaps."""
    backlog: Callable[[], Awaitable[int]]
    """See `shared.bus.port.Publisher.backlog`."""
    heard_elsewhere: datetime | None = None
    """When something last came through another source; None when this one was the last."""

    def checkpoint(self, cloud: str, source: str) -> "StoredCheckpoint":
        """Return where a source keeps how far it was read."""
        return StoredCheckpoint(self.database, cloud, source, self.clock)

    def last_read(self, cloud: str, source: str) -> LastRead:
        """Return where a source keeps when it was last read."""
        return LastRead(self.checkpoint(cloud, source), self.clock)


class Plan(Protocol):
    """How to read one source of one cloud, or several that go together."""

    @property
    def cloud(self) -> str:
        """Whose notifications they are."""
        ...

    @property
    def alone(self) -> bool:
        """Whether only one copy of the catcher may read it at a time."""
        ...

    def open(self, means: Means) -> AbstractAsyncContextManager[Sequence[Source]]:
        """Return a context that gives the sources and closes them.

        The first one tells how it stands.
        """
        ...


@dataclass(frozen=True, slots=True)
class AMQPPlan:
    """Read a broker: where it is, and what of it. All copies share its queue."""

    cloud: str
    address: Address
    subscription: Subscription
    alone: bool = False

    @asynccontextmanager
    async def open(self, means: Means) -> AsyncIterator[Sequence[Source]]:
        """See the port."""
        async with open_amqp_source(
            self.address,
            self.subscription,
            on_gap=means.on_gap(self.cloud, self.subscription.name),
            random=means.random,
            last_read=means.last_read(self.cloud, f"amqp {self.subscription.name}"),
        ) as source:
            yield (source,)


@dataclass(frozen=True, slots=True)
class WebhookPlan:
    """Wait for what Ceilometer posts. Every copy listens; whoever is posted to takes it."""

    cloud: str
    listener: WebhookListener
    path: str
    credentials: Credentials
    alone: bool = False

    @asynccontextmanager
    async def open(self, means: Means) -> AsyncIterator[Sequence[Source]]:
        """See the port."""
        source = WebhookSource(
            on_gap=means.on_gap(self.cloud, "webhook"),
            last_read=means.last_read(self.cloud, "webhook"),
            room_bytes=self.listener.limits.room_bytes,
            answer_within=self.listener.limits.answer_within,
        )
        requests = means.metrics.caught.webhook_requests

        def count(outcome: str) -> None:
            requests.labels(self.cloud, outcome).inc()

        async with (
            source.listening(),
            self.listener.serving(Route(self.path, self.credentials, source, count)),
        ):
            yield (source,)


class OpenAPI(Protocol):
    """Opens the client of a cloud's APIs."""

    def __call__(self) -> AbstractAsyncContextManager[API]:
        """Return a context that gives the client and closes it."""
        ...


@dataclass(frozen=True, slots=True)
class EventsAPIPlan:
    """Poll a cloud's Events API, one copy at a time, and load what it held before."""

    cloud: str
    open_api: OpenAPI
    dialect: Dialect
    poll_interval: timedelta
    history: bool
    """Whether to load what was there before the first start."""
    history_since: datetime | None = None
    """From when on; None: all that is kept."""
    alone: bool = True

    @asynccontextmanager
    async def open(self, means: Means) -> AsyncIterator[Sequence[Source]]:
        """See the port."""
        name = self.dialect.name
        async with self.open_api() as api:
            reader = Reader(api, self.dialect, cloud=self.cloud)
            news = PolledSource(
                reader,
                means.checkpoint(self.cloud, name),
                on_gap=means.on_gap(self.cloud, name),
                poll_interval=self.poll_interval,
                clock=means.clock,
                random=means.random,
                backoff=means.backoff,
                heard_elsewhere=means.heard_elsewhere,
            )
            if not self.history:
                yield (news,)
                return
            yield (news, self._history(reader, news, means))

    def _history(self, reader: Reader, news: PolledSource, means: Means) -> History:
        name = f"{news.name} history"
        clock, random, backoff = means.clock, means.random, means.backoff
        return History(
            Pager(reader, name=name, clock=clock, random=random, backoff=backoff),
            means.checkpoint(self.cloud, name),
            since=self.history_since,
            news=news,
            leisure=Leisure(
                turn=news.turn,
                backlog=means.backlog,
                clock=clock,
                random=random,
                backoff=backoff,
            ),
            metrics=means.metrics.history,
            clock=clock,
        )


@dataclass(frozen=True, slots=True)
class MissedPlan:
    """Read from an Events API what another source missed since a moment, then be over."""

    api: EventsAPIPlan
    since: datetime
    alone: bool = True

    @property
    def cloud(self) -> str:
        """See the port."""
        return self.api.cloud

    @asynccontextmanager
    async def open(self, means: Means) -> AsyncIterator[Sequence[Source]]:
        """See the port."""
        async with self.api.open_api() as api:
            reader = Reader(api, self.api.dialect, cloud=self.cloud)
            pager = Pager(
                reader,
                name=f"{self.api.dialect.name} missed",
                clock=means.clock,
                random=means.random,
                backoff=means.backoff,
            )
            yield (Missed(pager, since=self.since),)


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A source's checkpoint in PostgreSQL; see `services.catcher.sources.port.Checkpoint`."""

    database: Database
    cloud: str
    source: str
    clock: Clock

    async def load(self) -> Mapping[str, Any] | None:
        """See the port."""
        return await Checkpoints(self.database).load(self.cloud, self.source)

    async def save(self, position: Mapping[str, Any]) -> None:
        """See the port."""
        await Checkpoints(self.database).save(
            self.cloud, self.source, dict(position), now=self.clock.now()
        )
