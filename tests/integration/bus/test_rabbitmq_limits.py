"""A broker with a limit on messages: what can never be taken must not stop the rest for ever."""

import asyncio
from datetime import timedelta
from random import Random

import pytest

from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from shared.errors import BusUnavailable
from tests.support.events import event, ids, numbered
from tests.support.tls import MOST_BYTES, StrictBroker

pytestmark = pytest.mark.rabbitmq
SOON = timedelta(milliseconds=50)


async def test_an_event_the_broker_can_never_take_becomes_a_dead_letter(
    strict_broker: StrictBroker,
) -> None:
    events = [*numbered(40), event("huge", payload="x" * 2 * MOST_BYTES)]
    tries = 0
    async with open_rabbit_bus(
        strict_broker.node.url(), name="test", clock=SystemClock(), random=Random(1)
    ) as bus:
        async with bus.subscribe("processor") as processor, asyncio.timeout(60):
            while True:
                tries += 1
                try:
                    await bus.publish(events)
                except BusUnavailable:
                    continue
                break
            seen: set[str] = set()
            while len(seen) < 40:
                batch = await processor.receive(most=100, wait=SOON)
                seen.update(ids(batch.events))
                await processor.acknowledge(batch)
        async with bus.dead_letters() as dead, asyncio.timeout(60):
            [letter] = (await dead.receive(most=10, wait=SOON)).letters

    assert tries == 2, "the first try taught us the limit"
    assert seen == set(ids(numbered(40)))
    assert letter.cloud == "prod"
    assert "the event huge of type" in letter.reason
    assert len(letter.body) == MOST_BYTES
