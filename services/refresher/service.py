"""The refresher at work: events in, targets worked off, full passes made, figures shown."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import structlog

from services.refresher.consume import Intake, Windows
from services.refresher.execute import Effort, TargetWorker
from services.refresher.follow_up import FollowUp
from services.refresher.full_pass import Passes
from services.refresher.hand import Hand
from services.refresher.metrics import RefresherMetrics
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.writing import Writer
from shared.backoff import Backoff
from shared.bus.consuming import Consumer
from shared.bus.port import Bus
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.errors import Transient
from shared.openstack.client import CloudClient
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.drift import Drift
from shared.store.inventory import Inventory
from shared.store.listed import ListedPages
from shared.store.passes import FullPasses
from shared.store.targets import TargetQueue
from shared.waiting import pause

GROUP = "refresher"
_SHOW_EVERY = timedelta(seconds=2)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedCloud:
    """One cloud and what the operator says of its refresh."""

    client: CloudClient
    windows: Windows = field(default_factory=Windows)
    full_pass_interval: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Everything one copy of the refresher needs."""

    bus: Bus
    database: Database
    clouds: Mapping[str, RefreshedCloud]
    """By name; events of other clouds are counted and done with."""
    catalogue: Catalogue
    instance: str
    """Names this copy; unique among all."""
    clock: Clock
    random: Random
    metrics: RefresherMetrics
    effort: Effort = field(default_factory=Effort)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end what is in hand."""
        async with self.bus.subscribe(GROUP) as subscription, asyncio.TaskGroup() as group:
            consumer = Consumer(
                group=GROUP,
                subscription=subscription,
                bus=self.bus,
                handle=self.intake().handle,
                note=lambda event: self.metrics.heartbeat(event, self.clock.now()),
                clock=self.clock,
                random=self.random,
                backoff=Backoff(),
            )
            group.create_task(consumer.run(stop), name="intake")
            group.create_task(self._show(stop), name="figures")
            for name, cloud in self.clouds.items():
                reader = Reader(cloud.client, clock=self.clock)
                worker = self._target_worker(name, reader)
                passes = self._passes(name, cloud.full_pass_interval, reader)
                group.create_task(worker.run(stop), name=f"targets of {name}")
                group.create_task(passes.run(stop), name=f"full passes of {name}")

    def intake(self) -> Intake:
        """Return what takes events in."""
        return Intake(
            catalogue=self.catalogue,
            resources=ALL,
            windows={name: cloud.windows for name, cloud in self.clouds.items()},
            targets=TargetQueue(self.database),
            inventory=Inventory(self.database),
            writer=self._writer(),
            clock=self.clock,
            metrics=self.metrics,
        )

    def _target_worker(self, name: str, reader: Reader) -> TargetWorker:
        targets = TargetQueue(self.database)
        return TargetWorker(
            cloud=name,
            worker=self.instance,
            resources=ALL,
            reader=reader,
            targets=targets,
            passes=FullPasses(self.database),
            writer=self._writer(),
            following_up=FollowUp(
                inventory=Inventory(self.database),
                targets=targets,
                clock=self.clock,
                after=self.effort.second_look,
            ),
            clock=self.clock,
            random=self.random,
            metrics=self.metrics,
            effort=self.effort,
            hand=Hand(
                targets, most=self.effort.in_hand_most, lease=self.effort.lease, clock=self.clock
            ),
        )

    def _passes(self, name: str, interval: timedelta, reader: Reader) -> Passes:
        return Passes(
            cloud=name,
            worker=self.instance,
            resources=ALL,
            interval=interval,
            reader=reader,
            passes=FullPasses(self.database),
            drift=Drift(self.database),
            inventory=Inventory(self.database),
            targets=TargetQueue(self.database),
            writer=self._writer(),
            clock=self.clock,
            random=self.random,
            metrics=self.metrics,
        )

    def _writer(self) -> Writer:
        return Writer(
            inventory=Inventory(self.database),
            listed=ListedPages(self.database),
            letters=DeadLetters(self.database),
            clock=self.clock,
            metrics=self.metrics,
        )

    async def _show(self, stop: asyncio.Event) -> None:
        """Keep the figures fresh that nobody counts as they happen."""
        targets = TargetQueue(self.database)
        while not stop.is_set():
            for name, cloud in self.clouds.items():
                self.metrics.asked_of(name, cloud.client.calls, cloud.client.tokens_fetched)
            try:
                self.metrics.queue(await targets.waiting(), now=self.clock.now())
            except Transient as error:
                log.warning("figures_wait", reason=str(error))
            await pause(_SHOW_EVERY, stop)
