"""The refresher follows a simulated cloud: real decoding, real catalogue, real database, HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, get_args

import orjson
import pytest
from prometheus_client import CollectorRegistry

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.normalise import normalise
from services.refresher.budget import HEARTBEAT
from services.refresher.consume import Windows
from services.refresher.metrics import RefresherMetrics
from services.refresher.resources import ALL
from services.refresher.service import RefreshedCloud, Refresher
from services.simulator.app import Simulator
from services.simulator.life.life import Rate
from services.simulator.notification import Json
from services.simulator.settings import NotificationMisbehaviour, Service, SimulatorSettings
from shared.bus.memory import MemoryBus
from shared.catalogue.load import builtin
from shared.clock import SystemClock
from shared.event import Event
from shared.links import Link, links_of
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import Kind, ResourceRef
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.inventory import Inventory
from shared.store.links import Links
from shared.store.passes import FullPasses
from shared.store.status import Heartbeats
from shared.store.targets import TargetQueue
from tests.support.waiting import eventually

CLOCK = SystemClock()


class Collector:
    """Keeps what the cloud notifies as events, for a test to publish."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Decode as the catcher does; `exchange` and `topic` only matter to a broker."""
        del exchange, topic
        notification = open_envelope(orjson.dumps(message))
        now = CLOCK.now()
        self.events.append(
            normalise(notification, cloud="prod", received_at=now, catalogue=builtin())
        )


class Followed:
    """A simulated cloud and a refresher that follows it."""

    def __init__(self, simulator: Simulator, database: Database, collector: Collector) -> None:
        self.simulator = simulator
        self.database = database
        self.collector = collector
        self.bus = MemoryBus(groups=("refresher",))

    async def live(self, notifications: int) -> int:
        """Let the cloud live for so many notifications and publish them; return how many."""
        life = self.simulator.state.life
        life.start(Rate(operations=200), notifications=notifications)
        self.simulator.state.wake()

        async def quiet() -> bool:
            return not life.beginning and not life.in_flight

        await eventually(quiet, what="the cloud is quiet")
        events, self.collector.events = self.collector.events, []
        await self.bus.publish(events)
        return len(events)

    async def differences(self) -> dict[str, tuple[set[str], set[str]]]:
        """Return, by kind, the ids that the inventory lacks or has wrong, and those too many."""
        found = {}
        for kind in ALL:
            truth = self._announced(kind)
            rows = {row.ref.id: row for row in await self._living(kind)}
            wrong = {
                id_
                for id_, item in truth.items()
                if id_ not in rows
                or (rows[id_].name, rows[id_].project, rows[id_].status) != _summary(kind, item)
            }
            surplus = rows.keys() - self.simulator.truth(kind).keys()
            if wrong or surplus:
                found[kind] = (wrong, surplus)
        return found

    def _announced(self, kind: str) -> dict[str, Json]:
        """Return what there is, without the rules that a default group is silently born with."""
        world, truth = self.simulator.state.world, self.simulator.truth(kind)
        if kind != Kind.SECURITY_GROUP_RULE:
            return truth
        groups = world.security_groups
        return {
            id_: rule
            for id_, rule in truth.items()
            if rule["protocol"] or not world.is_default_group(groups[rule["security_group_id"]])
        }

    async def settle(self) -> None:
        """Wait until nothing is left to read."""

        async def nothing_waits() -> bool:
            return not await TargetQueue(self.database).waiting()

        await eventually(nothing_waits, what="no target waits")

    async def passed(self, kinds: Iterable[str]) -> bool:
        """Whether each of some kinds had a full pass; the next one may be under way."""
        return {one.kind for one in await FullPasses(self.database).latest_done()} >= set(kinds)

    async def differences_in(self, project: str, kind: str) -> dict[str, str]:
        """Return what the inventory has wrong of a kind in one project, by id."""
        resource = ALL[kind]
        truth = {
            id_: str(resource.status(item))
            for id_, item in self.simulator.truth(kind).items()
            if item[str(resource.project_field)] == project
        }
        rows = await self._living(kind)
        known = {row.ref.id: str(row.status) for row in rows if row.project == project}
        return dict(known.items() ^ truth.items())

    async def disabled(self, kind: str) -> int:
        """Return how many objects of a kind are known to be disabled."""
        rows = await self._living(kind)
        return sum((row.object or {}).get("status") == "disabled" for row in rows)

    async def recomputed_links(self) -> set[tuple[ResourceRef, Link]]:
        """Return the links of everything that lives, from the objects alone."""
        return {
            (row.ref, link)
            for kind in ALL
            for row in await self._living(kind)
            for link in links_of(kind, row.object or {})
        }

    async def _living(self, kind: str) -> list:  # type: ignore[type-arg]
        return await Inventory(self.database).find(kind, most=100_000)


def _summary(kind: str, item: Json) -> tuple[str | None, str | None, str | None]:
    """Return name, project and status of an object as the refresher understands it."""
    snapshot = ALL[kind].snapshot("prod", ALL[kind].shape(item), observed_at=CLOCK.now())
    return snapshot.name, snapshot.project, snapshot.status


@asynccontextmanager
async def follow(
    database: Database,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    interval: timedelta,
    user: str = "admin",
    passing: Iterable[str] = ALL,
    **different: Any,
) -> AsyncIterator[tuple[Followed, CloudClient]]:
    collector = Collector()
    settings = SimulatorSettings(
        servers=30, rate=0, pace=0, services=get_args(Service), **different
    )
    async with Simulator.open(
        settings, clock=CLOCK, random=Random(1), notifier=collector
    ) as simulator:
        simulator.write_clouds_yaml(directory / "clouds.yaml", "prod", user=user)
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(directory / "clouds.yaml"))
        followed = Followed(simulator, database, collector)
        async with CloudClient.open(load_cloud("prod"), clock=CLOCK, random=Random(2)) as client:
            cloud = RefreshedCloud(
                open_client=lambda: nullcontext(client),
                windows=Windows(
                    merge=timedelta(milliseconds=100),
                    batch=timedelta(milliseconds=100),
                    passing=timedelta(seconds=1),
                    second_look=timedelta(milliseconds=500),
                ),
                full_pass_interval=interval,
            )
            refresher = Refresher(
                bus=followed.bus,
                database=database,
                clouds={"prod": cloud},
                catalogue=builtin(),
                instance="copy-1",
                clock=CLOCK,
                random=Random(3),
                metrics=RefresherMetrics(CollectorRegistry()),
            )
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(refresher.run(stop))
                try:
                    await eventually(
                        partial(followed.passed, passing), what="the first passes are done"
                    )
                    yield followed, client
                finally:
                    stop.set()


async def test_the_inventory_equals_the_cloud_after_a_life(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow(database, tmp_path, monkeypatch, timedelta(hours=6)) as (followed, client):
        assert await followed.differences() == {}
        before = client.calls.total()
        events = await followed.live(1500)
        await followed.settle()
        assert await followed.differences() == {}
        assert await Links(database).all("prod") == await followed.recomputed_links()
        assert client.calls.total() - before < events / 3
        assert client.tokens_fetched == 1


async def test_a_full_pass_repairs_what_lost_notifications_left_wrong(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow(database, tmp_path, monkeypatch, timedelta(seconds=2)) as (followed, _):
        followed.simulator.state.notifier.behaviour = NotificationMisbehaviour(
            lost=0.3, duplicated=0.1, reordered=0.2
        )
        await followed.live(1000)

        async def repaired() -> bool:
            return await followed.differences() == {}

        await eventually(repaired, what="full passes made the inventory equal the cloud")


async def test_a_member_follows_what_belongs_to_their_project(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events are of all projects, and of much that a member may not read."""
    interval, kinds = timedelta(hours=6), (Kind.SERVER, Kind.VOLUME, Kind.PORT)
    member = follow(database, tmp_path, monkeypatch, interval, user="demo", passing=kinds)
    async with member as (followed, client):
        await followed.live(500)

        async def true() -> bool:
            project = str(client.project_id)
            return not any([await followed.differences_in(project, kind) for kind in kinds])

        async def reported() -> bool:
            beats = await Heartbeats(database).latest(CLOCK.now() - timedelta(minutes=1))
            return any(
                Kind.USER in beat.figures["not_permitted"]
                and set(kinds) <= set(beat.figures["own_project_only"])
                for beat in beats
                if beat.service == HEARTBEAT
            )

        await eventually(true, what="the inventory equals the project of the member")
        await eventually(reported, what="what a member is not shown is told")
        assert await DeadLetters(database).find() == []


async def test_flavors_and_services_are_followed_where_nova_tells_of_them(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interval = timedelta(hours=6)
    versioned = follow(database, tmp_path, monkeypatch, interval, notification_format="versioned")
    async with versioned as (followed, _):
        life, world = followed.simulator.state.life, followed.simulator.state.world
        before = len(world.flavors)
        for deeds in (("create flavor", "create flavor"), ("delete flavor", "switch host")):
            assert all(life.begin(deed) for deed in deeds)
            await followed.live(1)
        await followed.settle()
        assert (len(world.flavors), len(world.disabled_hosts)) == (before + 1, 1)

        async def followed_up() -> bool:
            flavors_differ = Kind.FLAVOR in await followed.differences()
            return not flavors_differ and all(
                [await followed.disabled(kind) == 1 for kind in ("compute_service", "hypervisor")]
            )

        await eventually(followed_up, what="what Nova told is in the inventory")
