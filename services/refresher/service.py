"""The refresher at work: events in, targets worked off, full passes made, figures shown."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random

import structlog

from services.refresher.budget import HEARTBEAT, figures
from services.refresher.consume import Intake, Windows
from services.refresher.default_groups import DefaultGroups
from services.refresher.execute import Effort, TargetWorker
from services.refresher.follow_up import FollowUp
from services.refresher.full_pass import Passes
from services.refresher.hand import Hand
from services.refresher.metrics import RefresherMetrics
from services.refresher.network_info import NetworkInfo
from services.refresher.objects import Objects
from services.refresher.other_projects import OtherProjects
from services.refresher.pass_requests import PassRequests
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.scope import Scope
from services.refresher.unseen import Unseen
from services.refresher.writing import Writer
from shared.backoff import Backoff
from shared.bus.consuming import Consumer
from shared.bus.port import Bus
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.errors import Transient
from shared.openstack.client import CloudClient
from shared.runtime.fleet import Fleet, Member
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.drift import Drift
from shared.store.inventory import Inventory
from shared.store.listed import ListedPages
from shared.store.passes import FullPasses
from shared.store.server_ports import ServersAndPorts
from shared.store.status import Heartbeats
from shared.store.targets import TargetQueue
from shared.waiting import pause

GROUP = "refresher"
_SHOW_EVERY = timedelta(seconds=2)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedCloud:
    """One cloud and what the operator says of its refresh."""

    open_client: Callable[[], AbstractAsyncContextManager[CloudClient]]
    windows: Windows = field(default_factory=Windows)
    full_pass_interval: timedelta = timedelta(hours=6)
    sees_all_projects: bool = False
    """Whether the credentials are shown everything, though their role is not called admin."""
    made_from: object = None
    """The settings behind it: what tells whether a reload changed this cloud."""


@dataclass(kw_only=True)
class Refresher:
    """One copy of the refresher."""

    bus: Bus
    database: Database
    clouds: Mapping[str, RefreshedCloud]
    """By name, to begin with; events of other clouds are counted and done with."""
    catalogue: Catalogue
    instance: str
    """Names this copy; unique among all."""
    clock: Clock
    random: Random
    metrics: RefresherMetrics
    effort: Effort = field(default_factory=Effort)
    _windows: dict[str, Windows] = field(default_factory=dict, init=False)
    _clients: dict[str, CloudClient] = field(default_factory=dict, init=False)
    _readers: dict[str, Reader] = field(default_factory=dict, init=False)
    _fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self._fleet = Fleet({})
        self.command(self.clouds)

    def command(self, clouds: Mapping[str, RefreshedCloud]) -> None:
        """Refresh these clouds from now on; one whose settings did not change goes on."""
        self._windows.clear()
        self._windows.update({name: cloud.windows for name, cloud in clouds.items()})
        self._fleet.command(
            {
                name: Member(cloud.made_from, partial(self._refresh, name, cloud))
                for name, cloud in clouds.items()
            }
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end what is in hand."""
        async with self.bus.subscribe(GROUP) as subscription, asyncio.TaskGroup() as group:
            consumer = Consumer(
                group=GROUP,
                subscription=subscription,
                bus=self.bus,
                handle=self.intake().handle,
                note=lambda event: self.metrics.heartbeats.note(event, self.clock.now()),
                clock=self.clock,
                random=self.random,
                backoff=Backoff(),
            )
            group.create_task(consumer.run(stop), name="intake")
            group.create_task(self._show(stop), name="figures")
            group.create_task(self._fleet.run(stop), name="clouds")

    async def _refresh(self, name: str, cloud: RefreshedCloud, stop: asyncio.Event) -> None:
        """Work off one cloud's targets and full passes until `stop` is set."""
        async with cloud.open_client() as client, asyncio.TaskGroup() as group:
            self._clients[name] = client
            reader = self._readers[name] = Reader(
                client, clock=self.clock, sees_all_projects=cloud.sees_all_projects
            )
            requests = self._pass_requests(name, cloud.full_pass_interval, reader.objects)
            worker = self._target_worker(name, reader, cloud.windows, requests)
            passes = self._passes(name, reader.objects)
            group.create_task(worker.run(stop), name=f"targets of {name}")
            group.create_task(requests.run(stop), name=f"pass schedule of {name}")
            group.create_task(passes.run(stop), name=f"full passes of {name}")
        self._readers.pop(name)
        self._count(name, self._clients.pop(name))
        self.metrics.forget_client(name)

    async def _show_budget(self, name: str) -> None:
        reader = self._readers.get(name)
        if reader is None:
            # It is no longer refreshed, since a moment ago.
            return
        objects = reader.objects
        budgets, denials = self._clients[name].budgets(), objects.permits.denials()
        self.metrics.calls.budget(name, budgets)
        narrow, cut_off = objects.scope.narrow, objects.cut_off
        self.metrics.hidden.show(name, denials, narrow=narrow, cut_off=cut_off)
        await Heartbeats(self.database).report(
            HEARTBEAT,
            self.instance,
            figures(budgets, denials, narrow),
            now=self.clock.now(),
            cloud=name,
        )

    def intake(self) -> Intake:
        """Return what takes events in."""
        return Intake(
            catalogue=self.catalogue,
            resources=ALL,
            windows=self._windows,
            targets=TargetQueue(self.database),
            inventory=Inventory(self.database),
            network_info=self._network_info(),
            default_groups=DefaultGroups(Inventory(self.database)),
            other_projects=OtherProjects(self._scope_of, ALL, Inventory(self.database)),
            writer=self._writer(),
            clock=self.clock,
            metrics=self.metrics,
        )

    def _scope_of(self, cloud: str) -> Scope | None:
        reader = self._readers.get(cloud)
        return reader.objects.scope if reader is not None else None

    def _network_info(self) -> NetworkInfo:
        return NetworkInfo(ServersAndPorts(self.database))

    def _target_worker(
        self, name: str, reader: Reader, windows: Windows, requests: PassRequests
    ) -> TargetWorker:
        targets = TargetQueue(self.database)
        return TargetWorker(
            cloud=name,
            worker=self.instance,
            resources=ALL,
            reader=reader,
            targets=targets,
            passes=requests,
            writer=self._writer(),
            following_up=FollowUp(
                inventory=Inventory(self.database),
                network_info=self._network_info(),
                targets=targets,
                clock=self.clock,
                after=windows.second_look,
            ),
            clock=self.clock,
            random=self.random,
            metrics=self.metrics,
            effort=self.effort,
            hand=Hand(
                targets, most=self.effort.in_hand_most, lease=self.effort.lease, clock=self.clock
            ),
        )

    def _pass_requests(self, name: str, interval: timedelta, objects: Objects) -> PassRequests:
        return PassRequests(
            cloud=name,
            resources=ALL,
            interval=interval,
            objects=objects,
            passes=FullPasses(self.database),
            clock=self.clock,
            random=self.random,
        )

    def _passes(self, name: str, objects: Objects) -> Passes:
        inventory = Inventory(self.database)
        return Passes(
            cloud=name,
            worker=self.instance,
            resources=ALL,
            objects=objects,
            passes=FullPasses(self.database),
            drift=Drift(self.database),
            inventory=inventory,
            unseen=Unseen(name, objects, inventory, TargetQueue(self.database), self.clock),
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
            for name, client in self._clients.items():
                self._count(name, client)
            try:
                for name in list(self._readers):
                    await self._show_budget(name)
                self.metrics.targets.queue(await targets.waiting(), now=self.clock.now())
            except Transient as error:
                log.warning("figures_wait", reason=str(error))
            await pause(_SHOW_EVERY, stop)

    def _count(self, name: str, client: CloudClient) -> None:
        self.metrics.calls.asked_of(name, client.calls, client.tokens_fetched)
