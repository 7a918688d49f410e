"""The refresher's parts, put together for tests over a real database and a scripted cloud."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry

from services.refresher.consume import Intake, Windows
from services.refresher.default_groups import DefaultGroups
from services.refresher.execute import Effort, TargetWorker
from services.refresher.follow_up import FollowUp
from services.refresher.full_pass import Passes
from services.refresher.hand import Hand
from services.refresher.metrics import RefresherMetrics
from services.refresher.network_info import NetworkInfo
from services.refresher.other_projects import OtherProjects
from services.refresher.pass_requests import PassRequests
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.unseen import Unseen
from services.refresher.writing import Writer
from shared.catalogue.load import builtin
from shared.event import Action, Event
from shared.openstack.client import CloudClient
from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.drift import Drift
from shared.store.inventory import Inventory
from shared.store.listed import ListedPages
from shared.store.passes import FullPasses
from shared.store.resource_row import ResourceRow
from shared.store.server_ports import ServersAndPorts
from shared.store.targets import TargetQueue
from shared.target import Target
from tests.support.clocks import FixedClock
from tests.support.events import event

WINDOW = timedelta(seconds=1)
WINDOWS = Windows(merge=WINDOW, batch=timedelta(0))
"""Without waiting for company, so that one step of a test reads all it asked for."""


class Setting:
    """Everything of one copy; time stands still until a test moves it."""

    def __init__(
        self,
        database: Database,
        client: CloudClient,
        clock: FixedClock,
        *,
        sees_all_projects: bool = False,
        seed: int = 2,
    ) -> None:
        self.clock = clock
        self.registry = CollectorRegistry()
        self.inventory = Inventory(database)
        self.targets = TargetQueue(database)
        self.letters = DeadLetters(database)
        self.full_passes = FullPasses(database)
        metrics = RefresherMetrics(self.registry)
        reader = Reader(client, clock=clock, sees_all_projects=sees_all_projects)
        network_info = NetworkInfo(ServersAndPorts(database))
        writer = Writer(
            inventory=self.inventory,
            listed=ListedPages(database),
            letters=self.letters,
            clock=clock,
            metrics=metrics,
        )
        effort = Effort()
        self.intake = Intake(
            catalogue=builtin(),
            resources=ALL,
            windows={"prod": WINDOWS},
            targets=self.targets,
            inventory=self.inventory,
            network_info=network_info,
            default_groups=DefaultGroups(self.inventory),
            other_projects=OtherProjects(lambda _: reader.objects.scope, ALL, self.inventory),
            writer=writer,
            clock=clock,
            metrics=metrics,
        )
        self.pass_requests = PassRequests(
            cloud="prod",
            resources=ALL,
            interval=timedelta(hours=6),
            objects=reader.objects,
            passes=self.full_passes,
            clock=clock,
            random=Random(seed),
        )
        self.worker = TargetWorker(
            cloud="prod",
            worker="copy-1",
            resources=ALL,
            reader=reader,
            targets=self.targets,
            passes=self.pass_requests,
            writer=writer,
            following_up=FollowUp(
                inventory=self.inventory,
                network_info=network_info,
                targets=self.targets,
                clock=clock,
                after=WINDOWS.second_look,
            ),
            clock=clock,
            random=Random(1),
            metrics=metrics,
            effort=effort,
            hand=Hand(self.targets, most=400, lease=effort.lease, clock=clock),
        )
        self.passes = Passes(
            cloud="prod",
            worker="copy-1",
            resources=ALL,
            objects=reader.objects,
            passes=self.full_passes,
            drift=Drift(database),
            inventory=self.inventory,
            unseen=Unseen("prod", reader.objects, self.inventory, self.targets, clock),
            writer=writer,
            clock=clock,
            random=Random(seed),
            metrics=metrics,
        )

    def only(self, *kinds: str) -> None:
        """Let full passes know of these kinds alone."""
        resources = {kind: ALL[kind] for kind in kinds}
        self.pass_requests = replace(self.pass_requests, resources=resources)
        self.passes = replace(self.passes, resources=resources)

    async def ask(self, *targets: Target) -> None:
        """Ask for targets that are due at once."""
        await self.targets.ask(targets, now=self.clock.now(), merge_window=timedelta(0))

    async def work_off(self, after: timedelta = WINDOW) -> int:
        """Let `after` pass, then work off what is due; return how many targets that were."""
        self.clock.advance(after)
        done = 0
        while claimed := await self.worker.claim():
            await self.worker.work(claimed)
            done += len(claimed)
        return done

    async def waiting(self) -> int:
        """Return how many targets are not answered."""
        return sum(item.count for item in await self.targets.waiting())

    async def row(self, kind: str, id_: str) -> ResourceRow | None:
        """Return a row of the inventory."""
        return await self.inventory.get(ResourceRef("prod", kind, id_))

    async def living(self, kind: str) -> list[str]:
        """Return the ids of what exists."""
        return [row.ref.id for row in await self.inventory.find(kind)]

    async def make_passes(self) -> None:
        """Ask for the passes that are due and make all that are waiting."""
        await self.pass_requests.ask_for_due()
        while await self.passes.make_next():
            pass

    def counted(self, name: str, **labels: str) -> float:
        """Return a figure, 0 where nothing was counted yet."""
        return self.registry.get_sample_value(f"osevents_{name}", labels) or 0.0


def port_event(id_: str, port: str = "a", action: Action = Action.UPDATE, **more: Any) -> Event:
    """Make Neutron say that a port was changed, or deleted."""
    fields: dict[str, Any] = {
        "type": f"port.{action}.end",
        "service": "network",
        "action": action,
        "subjects": (ResourceRef("prod", "port", port),),
        "payload": {"port": {"id": port}},
    }
    return event(id_, **fields | more)
