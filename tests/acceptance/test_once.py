"""The promise of automation: every firing is delivered, none under two keys, none is missing.

Events pass through real processors, whose rule fires on a tenth of them, and which are killed at
random, while a receiver of webhooks, a process of its own, fails a third of the time. `make chaos`
runs it with 20 000 events.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random

import pytest

from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from shared.event import Event
from shared.store.database import Database
from shared.store.outbox import Outbox
from tests.support.deployment import Deployment, Service
from tests.support.events import event, server
from tests.support.rabbitmq import RabbitVhost
from tests.support.unreliable import Delivery, Receiving, receiver_process
from tests.support.waiting import eventually

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(1500)]

EVENTS = int(os.environ.get("OSEVENTS_TEST_ONCE_EVENTS", "1000"))
FIRING = EVENTS // 10
KILLS = 2 + EVENTS // 2000
COPIES = 2
AT_ONCE = 100
FIRES = "fires"
RULE = f"""\
rules:
  - name: tenth
    match: {{{{types: "compute.instance.*"}}}}
    condition: event.name == "{FIRES}"
    actions:
      - webhook: {{{{url: "{{url}}", allow_private: true}}}}
"""
CLOCK = SystemClock()


@pytest.fixture
async def deployment(
    rabbit_vhost: RabbitVhost, database_url: str, tmp_path: Path
) -> AsyncIterator[Deployment]:
    made = Deployment(
        tmp_path,
        {
            "database": {"url": database_url, "connections": 6},
            "bus": {"url": rabbit_vhost.url},
            # As patient as ever, with the waits of a day in seconds.
            "rules": str(tmp_path / "rules.yaml"),
            "actions": {"retry_first": "200ms", "retry_longest": "1s"},
        },
    )
    made.write()
    try:
        yield made
    finally:
        made.tell()
        made.close()


async def test_every_firing_is_delivered_under_one_key_while_processors_die(
    deployment: Deployment, rabbit_vhost: RabbitVhost, database: Database, tmp_path: Path
) -> None:
    events = [numbered(number) for number in range(EVENTS)]
    firing = {each.id for each in events if each.name == FIRES}
    with receiver_process(tmp_path, failing=1 / 3) as receiving:
        (tmp_path / "rules.yaml").write_text(RULE.format(url=receiving.url))
        services = [deployment.add("processor") for _ in range(COPIES)]
        for service in services:
            service.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(publish(rabbit_vhost.url, events))
            group.create_task(kill_processors(services, receiving))
        await eventually(lambda: written(database), what="all events are written", seconds=300)
        await eventually(lambda: empty(database), what="nothing waits any more", seconds=300)
        deliveries = receiving.deliveries()

    by_event: defaultdict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_event[delivery.event].append(delivery)
    assert len(firing) == FIRING
    assert set(by_event) == firing, "none is missing"
    for tries in by_event.values():
        assert len({delivery.key for delivery in tries}) == 1, "none under two keys"
        assert len({delivery.body for delivery in tries}) == 1, "and always the same"
        assert "taken" in {delivery.how for delivery in tries}, "every firing is delivered"
    assert len({delivery.key for delivery in deliveries}) == FIRING
    # It was not an easy life: about a third failed, and some were tried again after a kill.
    assert len(deliveries) > 1.3 * FIRING
    assert await database.fetch_value("select count(*) from dead_letters") == 0


def numbered(number: int) -> Event:
    """Make an event of its own server; the rule fires for every tenth."""
    name = FIRES if number % (EVENTS // FIRING) == 0 else "quiet"
    subjects = (server(f"server-{number}"),)
    return event(f"event-{number}", time=CLOCK.now(), name=name, subjects=subjects)


async def publish(url: str, events: Sequence[Event]) -> None:
    async with open_rabbit_bus(url, name="test", clock=CLOCK, random=Random(1)) as bus:
        for start in range(0, len(events), AT_ONCE):
            await bus.publish(events[start : start + AT_ONCE])


async def kill_processors(services: Sequence[Service], receiving: Receiving) -> None:
    """Kill and restart processors, each time after another share of the deliveries."""
    random = Random(20261124)
    for number in range(1, KILLS + 1):
        reached = FIRING * number // (KILLS + 1)

        async def enough(reached: int = reached) -> bool:
            return len({delivery.key for delivery in receiving.deliveries()}) >= reached

        await eventually(enough, what=f"{reached} firings have reached the receiver", seconds=300)
        victim = random.choice(services)
        await asyncio.to_thread(victim.kill)
        victim.start()


async def written(database: Database) -> bool:
    count = await database.fetch_value("select count(*) from event_ids where id like 'event-%'")
    return int(count) == EVENTS


async def empty(database: Database) -> bool:
    return await Outbox(database).waiting() == []
