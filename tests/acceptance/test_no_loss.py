"""The promise: whatever dies, every notification is on the timeline once, and the inventory true.

A simulated cloud sends notifications to a real RabbitMQ while osevents' processes are killed at
random and the broker is restarted. OpenStack's exchanges are durable here (`amqp_durable_queues`,
as today's Kolla sets it): with OpenStack's default, a broker restart deletes what is in them before
any consumer could have it, which no consumer can help.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import aio_pika
import pytest

from services.refresher.resources import ALL
from shared.store.database import Database
from tests.support.deployment import Deployment, Service
from tests.support.ports import free_port
from tests.support.rabbitmq import RabbitNode
from tests.support.simulated import SERVED, SimulatorCalls
from tests.support.waiting import eventually

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(1500)]

NOTIFICATIONS = int(os.environ.get("OSEVENTS_TEST_NO_LOSS_NOTIFICATIONS", "20000"))
PER_SECOND = 500
KILLS = 10
COPIES = ("catcher", "catcher", "processor", "processor", "refresher", "refresher")
NEVER_SENT = ("osevents.gap",)
WHOLE = {
    "server", "port", "network", "subnet", "router", "floating_ip", "security_group",
    "volume", "image", "project",
}  # fmt: skip
"""Kinds of which every field is compared; of the others, that they are there."""
SILENT = {"links", "flavor"}
"""Fields that differ by who asks and how: addresses of the API, shapes by microversion."""


@pytest.fixture
async def deployment(
    dedicated_node: RabbitNode, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    port = free_port()
    made = Deployment(
        tmp_path,
        {
            "database": {"url": database_url, "connections": 4},
            "bus": {"url": dedicated_node.url()},
            "clouds": [
                {
                    "name": "simulated",
                    "source": "amqp",
                    "filters": {"drop": []},
                    "amqp": {
                        "transports": [dedicated_node.url().replace("amqp://", "rabbit://")],
                        "rebind_interval": "1s",
                    },
                }
            ],
            "simulator": {
                "port": port,
                "servers": 30,
                "rate": 0,
                "pace": 0.1,
                "transport_url": dedicated_node.url(),
                "amqp_durable_queues": True,
                # The promise begins at the broker: here nothing is lost before it.
                "gives_up_after": {},
            },
        },
    )
    made.write()
    try:
        yield made
    finally:
        made.tell()
        made.close()


async def declare_exchanges(url: str) -> None:
    """Declare what every OpenStack service declares for its RPC, long before it notifies."""
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        for name in ("nova", "neutron", "openstack", "glance", "keystone", "heat"):
            await channel.declare_exchange(name, "topic", durable=True)


async def start_simulator(deployment: Deployment) -> SimulatorCalls:
    clouds_yaml = deployment.directory / "clouds.yaml"
    simulator = deployment.add("simulator", "--clouds-yaml", str(clouds_yaml))
    simulator.start()

    async def written() -> bool:
        return clouds_yaml.exists()

    await eventually(written, what="the simulator runs")
    return SimulatorCalls(f"http://127.0.0.1:{deployment.configuration['simulator']['port']}")


async def test_nothing_is_lost_or_doubled_while_processes_die(
    deployment: Deployment, dedicated_node: RabbitNode, database: Database
) -> None:
    await declare_exchanges(dedicated_node.url())
    simulator = await start_simulator(deployment)
    services = [deployment.add(command) for command in COPIES]
    for service in services:
        service.start()
    for service in services:
        await service.ready()
    await settled(database)

    await asyncio.to_thread(
        simulator.life,
        running=True,
        notifications_per_second=PER_SECOND,
        notifications=NOTIFICATIONS,
    )
    await cause_trouble(services, dedicated_node, simulator)

    async def life_is_over() -> bool:
        life = await asyncio.to_thread(simulator.life)
        return bool(life["idle"])

    await eventually(life_is_over, what="the simulated cloud is at rest", seconds=300)
    sent = int((await asyncio.to_thread(simulator.life))["sent"])
    assert sent >= NOTIFICATIONS

    async def all_written() -> bool:
        return await rows(database) >= sent

    await eventually(all_written, what=f"{sent} notifications are on the timeline", seconds=300)
    assert await rows(database) == sent
    assert await doubles(database) == 0
    assert (await asyncio.to_thread(deployment.rows, "status")) != []

    await settled(database)
    await compare_inventory(deployment, database, simulator)


async def cause_trouble(
    services: list[Service], node: RabbitNode, simulator: SimulatorCalls
) -> None:
    """Kill and restart processes, each time after another share of the notifications."""
    random = Random(20261123)
    for number in range(1, KILLS + 1):
        reached = NOTIFICATIONS * number // (KILLS + 2)

        async def sent_enough(reached: int = reached) -> bool:
            life = await asyncio.to_thread(simulator.life)
            return int(life["sent"]) >= reached

        await eventually(sent_enough, what=f"{reached} notifications are sent", seconds=300)
        victim = random.choice(services)
        await asyncio.to_thread(victim.kill)
        victim.start()
        if number == KILLS // 2:
            await node.restart()


async def rows(database: Database) -> int:
    return int(
        await database.fetch_value(
            "select count(*) from events where type <> all($1::text[])", list(NEVER_SENT)
        )
    )


async def doubles(database: Database) -> int:
    return int(
        await database.fetch_value("select count(*) - count(distinct (cloud, id)) from events")
    )


async def settled(database: Database) -> None:
    """Return when every full pass asked for is done and no target waits."""

    async def at_rest() -> bool:
        passes = await database.fetch_value(
            "select count(*) filter (where finished_at is not null) = count(*) "
            "and count(*) >= $1 from passes",
            len(SERVED),
        )
        targets = await database.fetch_value("select count(*) from targets")
        return bool(passes) and targets == 0

    await eventually(at_rest, what="full passes are done and no target waits", seconds=300)


async def compare_inventory(
    deployment: Deployment, database: Database, simulator: SimulatorCalls
) -> None:
    """Hold the inventory, after a last full pass, against what the cloud really has."""
    before = await ids_held(deployment)
    asked = await asyncio.to_thread(
        deployment.run, "refresh", "--full", "--config", str(deployment.config)
    )
    assert asked.returncode == 0, asked.stderr
    await settled(database)
    for kind in SERVED:
        truth = await asyncio.to_thread(simulator.truth, kind)
        held = {
            row["id"]: row["object"]
            for row in await asyncio.to_thread(
                deployment.rows, "inventory", kind, "--most", "10000"
            )
        }
        assert set(held) == set(truth), kind
        for id_, item in truth.items() if kind in WHOLE else ():
            real = ALL[kind].shape(item)
            # The truth is told in the newest microversion; we ask for the one that we know.
            told = (set(real) & set(held[id_])) - SILENT
            assert {key: held[id_][key] for key in told} == {key: real[key] for key in told}
        if kind in {"server", "volume", "image", "project", "router"}:
            assert before[kind] == set(truth), f"events alone kept {kind} true"


async def ids_held(deployment: Deployment) -> dict[str, set[str]]:
    return {
        kind: {
            row["id"]
            for row in await asyncio.to_thread(
                deployment.rows, "inventory", kind, "--most", "10000"
            )
        }
        for kind in SERVED
    }
