"""Copies whose hosts disagree about the time by hours: what they note is compared all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from time import monotonic

import pytest
from aiohttp import web

from services.cli.running.serving import serve
from services.refresher.resources import ALL
from shared.bus.rabbitmq import RabbitBus, open_rabbit_bus
from shared.clock import SystemClock
from shared.event import Action
from shared.openstack.client import CloudClient
from shared.runtime.settings import Settings
from shared.snapshot import Cause, CauseKind
from shared.store.database import Database
from shared.store.passes import FullPasses, PassState
from shared.store.server_time import follow
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table
from tests.support.refreshing import Setting, port_event
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

PORTS = "/network/v2.0/ports"
HOURS = timedelta(hours=3)
MINUTE = timedelta(minutes=1)


class WrongClock:
    """A host's clock that nobody keeps."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Return what the host takes for the present time."""
        return SystemClock().now() + self._ahead


@pytest.fixture
def ports(cloud: FakeCloud) -> Table:
    cloud.services = {"network"}
    table = Table("ports", "port", [{"id": "a", "status": "ACTIVE"}])
    cloud.answers |= {PORTS: table.list, f"{PORTS}/a": table.show}
    return table


@asynccontextmanager
async def copy_on(
    host: WrongClock, database: Database, database_url: str, rabbit_url: str
) -> AsyncIterator[RabbitBus]:
    """Run a refresher as it is composed, until the block ends; gives the bus that it listens to."""
    settings = Settings.model_validate(
        {
            "database": {"url": database_url, "connections": 4},
            "bus": {"url": rabbit_url},
            "clouds": [{"name": "prod", "refresh": {"merge_window": "0s", "batch_window": "0s"}}],
            "http": {"port": "off"},
        }
    )
    stop = asyncio.Event()

    async def listed() -> bool:
        latest = {one.kind: one.state for one in await FullPasses(database).latest()}
        return latest.get("port") is PassState.DONE

    async with (
        open_rabbit_bus(rabbit_url, name="test", clock=SystemClock(), random=Random(1)) as bus,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(
            serve(
                "refresher",
                settings,
                stop,
                config=None,
                host=host,
                ticks=monotonic,
                random=Random(1),
            )
        )
        await eventually(listed, what="the ports are listed")
        yield bus
        stop.set()


async def another(database: Database, client: CloudClient, later: timedelta) -> Setting:
    """Return a copy that goes by the database, too, at a moment before or after this one."""
    clock = await follow(database, monotonic)
    return Setting(database, client, FixedClock(clock.now() + later))


@pytest.mark.usefixtures("ports")
async def test_what_was_buried_while_a_copy_ahead_was_reading_stays_buried(
    cloud: FakeCloud, database: Database, client: CloudClient, database_url: str, rabbit_url: str
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.json_response({"port": {"id": "a", "status": "DOWN"}})

    async with copy_on(WrongClock(HOURS), database, database_url, rabbit_url) as bus:
        cloud.answers[f"{PORTS}/a"] = hang
        await bus.publish([port_event("e1", "a")])
        await asyncio.wait_for(asked.wait(), 60)
        other = await another(database, client, MINUTE)
        await other.intake.handle([port_event("e2", "a", Action.DELETE)])
        buried = await other.row("port", "a")
        assert buried is not None

        async def written() -> bool:
            row = await other.row("port", "a")
            return row is not None and row.seen_at != buried.seen_at

        go_on.set()
        await eventually(written, what="the late answer is written")
        row = await other.row("port", "a")
        assert row is not None
        assert row.deleted_at == buried.deleted_at is not None


@pytest.mark.usefixtures("ports")
async def test_what_a_copy_ahead_has_read_can_be_buried(
    database: Database, client: CloudClient, database_url: str, rabbit_url: str
) -> None:
    async with copy_on(WrongClock(HOURS), database, database_url, rabbit_url):
        other = await another(database, client, MINUTE)
        assert await other.living("port") == ["a"]
        await other.intake.handle([port_event("e1", "a", Action.DELETE)])
        assert await other.living("port") == []


async def test_what_a_copy_behind_reads_later_is_taken_for_news(
    ports: Table, database: Database, client: CloudClient, database_url: str, rabbit_url: str
) -> None:
    async with copy_on(WrongClock(-HOURS), database, database_url, rabbit_url) as bus:
        other = await another(database, client, -MINUTE)
        read = ALL["port"].snapshot("prod", ports.objects["a"], observed_at=other.clock.now())
        await other.inventory.write([read], Cause(CauseKind.EVENT, "e1"))
        ports.objects["a"]["status"] = "DOWN"
        await bus.publish([port_event("e2", "a")])

        async def shown() -> bool:
            row = await other.row("port", "a")
            return row is not None and row.status == "DOWN"

        await eventually(shown, what="the later read is shown")
