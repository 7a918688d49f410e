"""`osevents doctor` against a real broker, a real database and a simulated cloud."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any

import aio_pika
import pytest
import yaml

from services.simulator.app import Simulator
from services.simulator.settings import SimulatorSettings
from shared.clock import SystemClock
from tests.support.command_line import Outcome, call
from tests.support.oslo import rabbit
from tests.support.ports import closed_port
from tests.support.rabbitmq import RabbitVhost

pytestmark = pytest.mark.rabbitmq

Found = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture
async def clouds_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """Run a cloud, and name it `prod`, where openstacksdk looks."""
    path = tmp_path / "clouds.yaml"
    async with Simulator.open(
        SimulatorSettings(servers=2, rate=0), clock=SystemClock(), random=Random(1)
    ) as simulator:
        simulator.write_clouds_yaml(path, "prod")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        yield path


@pytest.fixture
def closed() -> Iterator[int]:
    with closed_port() as port:
        yield port


class Patient:
    """A configuration, and what the doctor says of it."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.config = directory / "osevents.yaml"
        self.config.write_text(yaml.safe_dump(settings))

    async def asked(self, *options: str) -> Outcome:
        config = ("--config", str(self.config))
        return await asyncio.to_thread(call, "doctor", *config, *options)

    async def found(self) -> tuple[int, Found]:
        """Return the exit code, and the findings; the worst where there are two of a kind."""
        outcome = await self.asked("--format", "json")
        rows = Outcome(0, outcome.out, outcome.err).rows
        order = ["ok", "warning", "failed"]
        rows.sort(key=lambda row: order.index(row["state"]))
        return outcome.code, {(row["about"], row["check"]): row for row in rows}


def cloud_of(*urls: str, **different: Any) -> dict[str, Any]:
    return {"name": "prod", "amqp": {"transports": [rabbit(url) for url in urls]}, **different}


async def declare(vhost: RabbitVhost, *exchanges: str) -> None:
    connection = await aio_pika.connect(vhost.node.url(vhost.name))
    async with connection, connection.channel() as channel:
        for name in exchanges:
            await channel.declare_exchange(name, "topic")
        queue = await channel.declare_queue("notifications.info")
        await queue.bind(exchanges[0], "notifications.info")
        target = await channel.get_exchange(exchanges[0])
        await target.publish(aio_pika.Message(b"{}"), "notifications.info")


@pytest.mark.usefixtures("clouds_yaml")
async def test_what_is_well_is_told_and_what_is_missing_does_not_fail(
    rabbit_vhost: RabbitVhost, database_url: str, tmp_path: Path
) -> None:
    await declare(rabbit_vhost, "nova", "neutron")
    patient = Patient(
        tmp_path,
        database={"url": database_url},
        bus={"url": rabbit_vhost.url},
        clouds=[cloud_of(rabbit_vhost.url)],
    )

    code, found = await patient.found()

    assert code == 0, found
    broker = f"broker prod 127.0.0.1:{rabbit_vhost.node.port}/{rabbit_vhost.name}"
    for key in (
        ("database", "version"),
        ("database", "clock"),
        ("database", "schema"),
        ("bus", "declaring"),
        ("cloud prod", "Keystone"),
        ("cloud prod", "role"),
        ("cloud prod", "compute"),
        (broker, "TCP"),
        (broker, "login"),
        (broker, "permissions"),
        (broker, "exchanges"),
    ):
        assert found[key]["state"] == "ok", found[key]
    assert found["services", "catcher"]["state"] == "warning"
    assert found["cloud prod", "newest events"]["state"] == "warning"
    assert found[broker, "queue"]["says"] == "there is no osevents.prod yet"
    assert "notifications.info holds 1 messages" in found[broker, "queues of the services"]["says"]
    assert "osevents.prod.doctor" not in await asyncio.to_thread(rabbit_vhost.queues)
    told = await patient.asked()
    assert told.code == 0
    assert "ok       database, schema: at this version\n" in told.out
    assert "-> start osevents catcher\n" in told.out


@pytest.mark.usefixtures("clouds_yaml")
async def test_missing_permissions_are_found_and_the_printed_command_mends_them(
    rabbit_vhost: RabbitVhost, database_url: str, tmp_path: Path
) -> None:
    await declare(rabbit_vhost, "nova", "neutron")
    patient = Patient(
        tmp_path,
        database={"url": database_url},
        bus={"url": rabbit_vhost.node.url(rabbit_vhost.name)},
        clouds=[cloud_of(rabbit_vhost.url)],
    )
    broker = f"broker prod 127.0.0.1:{rabbit_vhost.node.port}/{rabbit_vhost.name}"
    printed = (await patient.asked("--permissions")).out.splitlines()[-1]

    rabbit_vhost.permit(configure="^$", write="^$", read="^$")
    code, found = await patient.found()
    nothing = found[broker, "permissions"]
    rabbit_vhost.permit(
        configure=r"^osevents\.", write=r"^osevents\.", read=r"^(osevents\..*|nova)$"
    )
    _, found = await patient.found()
    half = found[broker, "exchanges"]
    configure, write, read = shlex.split(half["mend"])[-3:]
    rabbit_vhost.permit(configure=configure, write=write, read=read)
    well, found = await patient.found()

    assert (code, nothing["state"]) == (1, "failed")
    assert "osevents.prod.doctor" in nothing["says"]
    assert half["says"] == "may not read neutron"
    assert printed == nothing["mend"] == half["mend"]
    assert well == 0
    assert found[broker, "exchanges"]["says"].startswith("can be read: nova, neutron; absent:")


async def test_one_trouble_does_not_hide_another(
    rabbit_vhost: RabbitVhost, closed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "absent.yaml"))
    node = rabbit_vhost.node
    patient = Patient(
        tmp_path,
        database={"url": f"postgresql://osevents:hush@127.0.0.1:{closed}/osevents"},
        bus={"url": f"amqp://osevents:hush@127.0.0.1:{closed}/"},
        clouds=[
            cloud_of(
                f"amqp://guest:hush@127.0.0.1:{closed},guest:hush@127.0.0.1:{node.port}/",
                node.url("nothing"),
            )
        ],
    )

    code, found = await patient.found()

    assert code == 1
    for key, words in {
        ("database", "connection"): "",
        ("bus", "connection"): "no broker can be reached",
        ("cloud prod", "clouds.yaml"): "there is no such cloud",
        (f"broker prod 127.0.0.1:{closed}/", "TCP"): "",
        (f"broker prod 127.0.0.1:{node.port}/", "login"): "ACCESS_REFUSED",
        (f"broker prod 127.0.0.1:{node.port}/nothing", "login"): "the virtual host is not there",
    }.items():
        assert found[key]["state"] == "failed", found[key]
        assert words in found[key]["says"]
        assert found[key]["mend"]
    login = found[f"broker prod 127.0.0.1:{node.port}/", "login"]
    assert login["mend"].startswith("rabbitmqctl add_user guest && rabbitmqctl set_permissions")
    assert "hush" not in str(found)
