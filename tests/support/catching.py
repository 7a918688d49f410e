"""A catcher for tests: its plans, and a bus that keeps what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from prometheus_client import CollectorRegistry

from services.catcher.cloud import WatchedCloud
from services.catcher.metrics import CatcherMetrics
from services.catcher.plans import Plan
from services.catcher.reader import Desk
from services.catcher.service import Catcher
from shared.bus.port import Publisher
from shared.catalogue.load import builtin
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.event import Event
from shared.store.database import Database


@dataclass
class Taken:
    """A bus that takes everything at once."""

    events: list[Event] = field(default_factory=list)

    async def backlog(self) -> int:
        """See the port."""
        return 0

    async def publish(self, events: Sequence[Event]) -> None:
        """See the port."""
        self.events.extend(events)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """See the port; in these tests nothing dies."""
        assert not letters

    @property
    def ids(self) -> list[str]:
        """Return the ids of what services sent, in the order of publishing."""
        return [event.id for event in self.events if event.service != "osevents"]


def desk_of(bus: Publisher, database: Database, registry: CollectorRegistry | None = None) -> Desk:
    """Return what readers of one copy share, with the catalogue that comes with osevents."""
    return Desk(
        bus=bus,
        database=database,
        catalogue=builtin(),
        clock=SystemClock(),
        random=Random(1),
        metrics=CatcherMetrics(registry or CollectorRegistry()),
    )


def catcher_of(
    source: str, plan: Plan, bus: Taken, database: Database, registry: CollectorRegistry
) -> Catcher:
    """Return a catcher of cloud `prod` with one source, ready to run."""
    return Catcher(
        clouds=[WatchedCloud.reading("prod", source, plan)],
        desk=desk_of(bus, database, registry),
        instance="test",
        heartbeat_interval=None,
    )
