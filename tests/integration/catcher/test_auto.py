"""`source: auto` on a real broker and a cloud with Panko: chosen, left, filled, gone back to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import aio_pika
import pytest

from services.catcher.service import Catcher
from services.catcher.state import CloudState
from services.catcher.watch import Patience
from services.cli.running.plans import watched_cloud
from services.cli.running.webhooks import listener_of
from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.event import Event
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings
from shared.store.database import Database
from tests.support.catching import desk_of
from tests.support.ports import free_port
from tests.support.proxy import proxy_to
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

CLOCK = SystemClock()
QUICK = Patience(
    look=timedelta(milliseconds=20),
    trouble=timedelta(seconds=4),
    nothing=timedelta(milliseconds=100),
    better=timedelta(milliseconds=200),
    distrust=timedelta(milliseconds=300),
)


class Watched:
    """A catcher with a cloud, and what came of it."""

    def __init__(self, catcher: Catcher, events: list[Event]) -> None:
        self.events = events
        self._catcher = catcher

    async def reads(self, source: str, *, why: str = "") -> CloudState:
        """Return the state once `source` is read without trouble."""

        async def so() -> bool:
            state = self._catcher.states.get("prod")
            return (
                state is not None
                and (state.source, state.trouble) == (source, None)
                and why in state.why
            )

        await eventually(so, what=f"{source} is read: {self._catcher.states}", seconds=60)
        return self._catcher.states["prod"]

    async def hears(self, *, more_than: int, why: str) -> None:
        """Return when more events than that have come."""

        async def so() -> bool:
            return len(self.events) > more_than

        await eventually(so, what=f"{why}: {self._catcher.states}", seconds=60)


async def notify(vhost: RabbitVhost, id_: str) -> None:
    """Send a notification as a service does, whose exchange is not durable."""
    connection = await aio_pika.connect(vhost.url)
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange("nova", "topic", durable=False)
        body = f'{{"message_id": "{id_}", "event_type": "a.b", "payload": {{}}}}'
        await exchange.publish(
            aio_pika.Message(body.encode()), "notifications.info", mandatory=False
        )


@asynccontextmanager
async def watching(
    database: Database, transport: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    bus, stop, events = MemoryBus(groups=("processor",)), asyncio.Event(), list[Event]()
    settings = SimulatorSettings(servers=3, rate=5)
    async with Simulator.open(settings, clock=CLOCK, random=Random(1)) as simulator:
        simulator.write_clouds_yaml(directory / "clouds.yaml", "prod")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(directory / "clouds.yaml"))
        cloud = CloudSettings.model_validate(
            {
                "name": "prod",
                "source": "auto",
                "history": "skip",
                "poll_interval": "100ms",
                "amqp": {"transports": [transport], "rebind_interval": "200ms"},
            }
        )
        catcher = Catcher(
            clouds=[watched_cloud(cloud, listener_of(Settings()), clock=CLOCK, random=Random(2))],
            desk=desk_of(bus, database),
            instance="test",
            heartbeat_interval=None,
            patience=QUICK,
        )

        async def take() -> None:
            while True:
                batch = await subscription.receive(most=100, wait=timedelta(milliseconds=1))
                events.extend(batch.events)
                await subscription.acknowledge(batch)

        async with bus.subscribe("processor") as subscription, asyncio.TaskGroup() as group:
            taking = group.create_task(take())
            running = group.create_task(catcher.run(stop))
            try:
                yield Watched(catcher, events)
            finally:
                stop.set()
                await running
                taking.cancel()


async def test_the_best_source_that_works_is_read_and_gone_back_to(
    rabbit_vhost: RabbitVhost,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await notify(rabbit_vhost, "before anybody listens")
    node, port = rabbit_vhost.node, free_port()
    transport = rabbit_vhost.url.replace("amqp://", "rabbit://")
    transport = transport.replace(f":{node.port}/", f":{port}/")
    async with watching(database, transport, tmp_path, monkeypatch) as watched:
        await watched.reads("panko", why="amqp: ")
        await watched.hears(more_than=0, why="Panko's events come")

        async with proxy_to(node.port, listen_on=port):
            await watched.reads("amqp", why="the broker lets us in")
            await notify(rabbit_vhost, "through the broker")

            async def came() -> bool:
                return "through the broker" in {event.id for event in watched.events}

            await eventually(came, what="the broker's notification came")

        # The reason depends on how soon it is asked again: it failed when read, or is not there.
        state = await watched.reads("panko", why="amqp: ")
        assert state.missed_since is not None, "to be filled when the broker is back"
        await watched.hears(more_than=len(watched.events), why="Panko's events come again")

    ids = [event.id for event in watched.events if event.service != "osevents"]
    assert "before anybody listens" not in ids
