"""Copies of the refresher as they run: on a bus, a database and a cloud, by the real clock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from random import Random

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.refresher.consume import Windows
from services.refresher.execute import Effort
from services.refresher.learning import FIRST_KEYS
from services.refresher.metrics import RefresherMetrics
from services.refresher.service import RefreshedCloud, Refresher
from shared.bus.memory import MemoryBus
from shared.catalogue.load import builtin
from shared.clock import Clock, SystemClock
from shared.errors import StoreUnavailable
from shared.event import Action
from shared.openstack.client import CloudClient
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.passes import FullPasses, PassState
from shared.store.targets import ClaimedTarget, TargetQueue
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table
from tests.support.refreshing import port_event
from tests.support.waiting import eventually

PORTS = "/network/v2.0/ports"
EMPTY = (
    "extensions",
    "networks",
    "subnets",
    "routers",
    "floatingips",
    "security-groups",
    "security-group-rules",
    "subnetpools",
)


@pytest.fixture
def ports(cloud: FakeCloud) -> Table:
    cloud.services = {"network"}
    table = Table("ports", "port", [{"id": "old", "status": "ACTIVE"}])
    for collection in EMPTY:
        field = collection.replace("-", "_")
        cloud.answer(f"/network/v2.0/{collection}", {field: []})
    cloud.answers[PORTS] = table.list
    for key in ("old", "new", "gone"):
        cloud.answers[f"{PORTS}/{key}"] = table.show
    return table


@asynccontextmanager
async def copies(
    number: int,
    bus: MemoryBus,
    database: Database,
    client: CloudClient,
    effort: Effort | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[list[CollectorRegistry]]:
    """Run so many copies until the block ends, and have them end within seconds.

    With a `clock` of the test's own nothing waits for company, as that may stand still.
    """
    window = _SHORT if clock is None else timedelta(0)
    stop = asyncio.Event()
    registries = [CollectorRegistry() for _ in range(number)]
    async with asyncio.TaskGroup() as group:
        for index, registry in enumerate(registries):
            refresher = Refresher(
                bus=bus,
                database=database,
                clouds={
                    "prod": RefreshedCloud(
                        open_client=lambda: nullcontext(client),
                        windows=Windows(merge=window, batch=window),
                    )
                },
                catalogue=builtin(),
                instance=f"copy-{index}",
                clock=clock or SystemClock(),
                random=Random(index),
                metrics=RefresherMetrics(registry),
                effort=effort or Effort(),
            )
            group.create_task(refresher.run(stop))
        try:
            yield registries
        finally:
            stop.set()


_SHORT = timedelta(milliseconds=50)


async def statuses(database: Database) -> dict[str, str | None]:
    return {row.ref.id: row.status for row in await Inventory(database).find("port", most=1000)}


async def test_the_inventory_follows_the_cloud(
    ports: Table, database: Database, client: CloudClient
) -> None:
    bus = MemoryBus(groups=("refresher",))
    async with copies(1, bus, database, client):
        await eventually(
            lambda: _is(database, {"old": "ACTIVE"}), what="the first pass filled the inventory"
        )
        ports.objects["new"] = {"id": "new", "status": "DOWN"}
        ports.objects["old"] = {"id": "old", "status": "ERROR"}
        await bus.publish([port_event("e1", "new", Action.CREATE), port_event("e2", "old")])
        await eventually(
            lambda: _is(database, {"new": "DOWN", "old": "ERROR"}), what="the events were followed"
        )
        del ports.objects["old"]
        await bus.publish([port_event("e3", "old", Action.DELETE)])
        assert await statuses(database) == {"new": "DOWN"}


async def test_two_copies_share_passes_and_targets(
    cloud: FakeCloud, ports: Table, database: Database, client: CloudClient
) -> None:
    """All events fit into one batch, else one asked for by two of them may be settled twice.

    A claim takes one more than a list is first asked for, and that one is read alone.
    """
    bus = MemoryBus(groups=("refresher",))
    keys = [f"p{number:03}" for number in range(150)]
    ports.objects = {key: {"id": key, "status": "ACTIVE"} for key in keys}
    for key in keys:
        cloud.answers[f"{PORTS}/{key}"] = ports.show
    effort = Effort(claim_most=FIRST_KEYS + 1)
    async with copies(2, bus, database, client, effort) as registries:
        kinds = len(EMPTY)
        await eventually(lambda: _passes_done(database, kinds), what="the first passes are made")
        calls = client.calls["network"]
        # Each list once; what extensions there are is asked by each copy.
        assert kinds < calls <= kinds + 2
        ports.objects = {key: {"id": key, "status": "DOWN"} for key in keys}
        await bus.publish([port_event(f"e-{key}", key) for key in keys for _ in range(3)])
        await eventually(lambda: _is(database, dict.fromkeys(keys, "DOWN")), what="all are read")
        await eventually(lambda: _nothing_waits(database), what="no target waits")
    settled = [
        registry.get_sample_value(
            "osevents_targets_settled_total", {"cloud": "prod", "kind": "port"}
        )
        for registry in registries
    ]
    assert sum(figure or 0 for figure in settled) == len(keys)
    assert client.calls["network"] - calls <= len(keys) / 25
    assert client.tokens_fetched == 1


async def test_the_figures_show_calls_and_what_waits(
    cloud: FakeCloud, ports: Table, database: Database, client: CloudClient
) -> None:
    bus = MemoryBus(groups=("refresher",))
    cloud.answer(f"{PORTS}/new", {}, status=503)
    async with copies(1, bus, database, client) as (registry,):
        await eventually(
            lambda: _passes_done(database, len(EMPTY)), what="the first passes are made"
        )
        await bus.publish([port_event("e1", "new")])
        labels = {"cloud": "prod", "kind": "port"}

        async def shown() -> bool:
            return registry.get_sample_value("osevents_targets_waiting", labels) == 1

        await eventually(shown, what="the waiting target shows")
        network = {"cloud": "prod", "service": "network"}
        assert (registry.get_sample_value("osevents_api_calls_total", network) or 0) >= 6
        assert registry.get_sample_value("osevents_tokens_total", {"cloud": "prod"}) == 1
    assert ports.objects


async def test_a_store_that_fails_for_a_while_loses_no_event(
    ports: Table, database: Database, client: CloudClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking, claiming, writing and finishing fail in turn; everything is done in the end."""
    bus = MemoryBus(groups=("refresher",))
    ports.objects["new"] = {"id": "new", "status": "DOWN"}
    for owner, method in (
        (TargetQueue, "ask"),
        (TargetQueue, "claim"),
        (TargetQueue, "finish"),
        (Inventory, "write"),
        (FullPasses, "claim"),
    ):
        _fail_twice(monkeypatch, owner, method)
    async with copies(1, bus, database, client):
        await bus.publish([port_event("e1", "new")])
        await eventually(
            lambda: _is(database, {"new": "DOWN", "old": "ACTIVE"}), what="the event was followed"
        )
        await eventually(lambda: _nothing_waits(database), what="no target waits")


def _fail_twice(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
    works = getattr(owner, method)
    failures = [StoreUnavailable("away"), StoreUnavailable("still away")]

    async def failing(*arguments: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return await works(*arguments, **named)

    monkeypatch.setattr(owner, method, failing)


async def _is(database: Database, wanted: dict[str, str]) -> bool:
    return await statuses(database) == wanted


async def _passes_done(database: Database, number: int) -> bool:
    latest = await FullPasses(database).latest()
    return sum(one.state is PassState.DONE for one in latest) == number


async def _nothing_waits(database: Database) -> bool:
    return not await TargetQueue(database).waiting()


async def test_leases_are_renewed_while_a_read_hangs(
    cloud: FakeCloud,
    ports: Table,
    database: Database,
    client: CloudClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second copy would claim the target again, and ask a second time.

    Time moves a third of a lease with each renewal, however slow the machine is.
    """
    bus, clock = MemoryBus(groups=("refresher",)), FixedClock()
    asked, go_on = asyncio.Event(), asyncio.Event()
    lease = timedelta(milliseconds=300)
    renewals, renew = 0, TargetQueue.renew

    async def moving_time(
        queue: TargetQueue,
        claimed: Sequence[ClaimedTarget],
        *,
        now: datetime,
        lease: timedelta,
    ) -> int:
        nonlocal renewals
        ours = await renew(queue, claimed, now=now, lease=lease)
        if ours:
            renewals += 1
            clock.advance(lease / 3)
        return ours

    async def hang(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.json_response({"port": ports.objects["new"]})

    async def for_three_leases() -> bool:
        return renewals >= 9

    monkeypatch.setattr(TargetQueue, "renew", moving_time)
    cloud.answers[f"{PORTS}/new"] = hang
    async with copies(2, bus, database, client, Effort(lease=lease), clock):
        # A pass that listed the ports before the event would ask for the new one, too.
        await eventually(lambda: _passes_done(database, len(EMPTY)), what="the passes are made")
        ports.objects["new"] = {"id": "new", "status": "ACTIVE"}
        await bus.publish([port_event("e1", "new")])
        await asyncio.wait_for(asked.wait(), 60)
        await eventually(for_three_leases, what="the lease was renewed nine times")
        go_on.set()
        await eventually(lambda: _nothing_waits(database), what="no target waits")
    assert [path for path, _ in cloud.asked].count(f"{PORTS}/new") == 1
    assert (await statuses(database))["new"] == "ACTIVE"


async def test_a_copy_that_stops_leaves_what_hangs_to_the_others(
    cloud: FakeCloud, ports: Table, database: Database, client: CloudClient
) -> None:
    bus = MemoryBus(groups=("refresher",))
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.json_response({"port": {"id": "new", "status": "ACTIVE"}})

    cloud.answers[f"{PORTS}/new"] = hang
    effort = Effort(lease=timedelta(milliseconds=300), drain=timedelta(milliseconds=100))
    # Without a drain it would be the minute that the client gives an API.
    async with asyncio.timeout(30):
        async with copies(1, bus, database, client, effort):
            await bus.publish([port_event("e1", "new")])
            await asked.wait()
    assert not await _nothing_waits(database)
    go_on.set()
    async with copies(1, bus, database, client):
        await eventually(lambda: _nothing_waits(database), what="no target waits")
    assert (await statuses(database))["new"] == "ACTIVE"
    assert ports.objects
