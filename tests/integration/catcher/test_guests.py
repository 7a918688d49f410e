"""We are guests on OpenStack's broker: Ceilometer and the services do not notice us."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.catcher.plans import AMQPPlan
from services.catcher.sources.amqp_queue import Subscription
from services.cli.doctor.permissions import set_permissions
from services.cli.running.plans import subscription_of
from shared.amqp.address import Address
from shared.runtime.sections import CloudSettings
from shared.store.database import Database
from tests.support.catching import Taken, catcher_of
from tests.support.oslo import ceilometer, notify, sending
from tests.support.rabbitmq import RabbitVhost
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq

SERVICES = ("nova", "neutron", "cinder")
EACH = 20


@asynccontextmanager
async def catching(
    vhost: RabbitVhost, wanted: Subscription, database: Database
) -> AsyncIterator[Taken]:
    bus, stop = Taken(), asyncio.Event()
    plan = AMQPPlan("prod", Address.parse(vhost.url), wanted)
    catcher = catcher_of("amqp", plan, bus, database, CollectorRegistry())
    async with asyncio.TaskGroup() as group:
        group.create_task(catcher.run(stop))
        try:
            yield bus
        finally:
            stop.set()


async def test_ceilometer_misses_nothing_and_nobody_is_refused(
    rabbit_vhost: RabbitVhost, database: Database
) -> None:
    openstack = rabbit_vhost.node.url(rabbit_vhost.name)
    # As the doctor prints it, for the settings as they are by default.
    wanted = subscription_of(CloudSettings(name="prod"))
    command = set_permissions(wanted, user=rabbit_vhost.name, virtual_host=rabbit_vhost.name)
    configure, write, read = shlex.split(command)[-3:]
    rabbit_vhost.permit(configure=configure, write=write, read=read)
    sends = [sending("a.b.end", exchange=exchange, count=EACH) for exchange in SERVICES]
    await notify(openstack, *(one | {"count": 1} for one in sends))  # a cloud that is running

    async with (
        ceilometer(openstack, SERVICES) as at_ceilometer,
        catching(rabbit_vhost, wanted, database) as ours,
    ):

        async def bound() -> bool:
            bindings = await asyncio.to_thread(rabbit_vhost.bindings, "osevents.prod")
            return {exchange for exchange, _ in bindings} == set(SERVICES)

        await eventually(bound, what="we are bound")
        logged = await notify(openstack, *sends)

        async def all_there() -> bool:
            both = len(at_ceilometer), len(ours.ids)
            return both == (len(SERVICES) * (EACH + 1), len(SERVICES) * EACH)

        await eventually(all_there, what="both have everything")

    assert set(ours.ids) < set(at_ceilometer)
    assert len(set(at_ceilometer)) == len(at_ceilometer)
    assert "406" not in logged
    assert "PRECONDITION" not in logged
    refused = [
        line
        for line in rabbit_vhost.node.log_lines()
        if rabbit_vhost.name in line and ("access_refused" in line or "precondition" in line)
    ]
    assert refused == []
    queues = await asyncio.to_thread(rabbit_vhost.queues)
    assert [name for name in queues if not name.startswith("notifications.")] == ["osevents.prod"]
