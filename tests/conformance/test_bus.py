"""What every bus promises (`shared.bus.port`), run against each implementation."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, Subscription
from shared.bus.rabbitmq import open_rabbit_bus
from shared.clock import SystemClock
from shared.dead_letter import DeadLetter
from shared.errors import BusUnavailable
from tests.support.events import NOON, event, ids, numbered
from tests.support.waiting import eventually

SOON = timedelta(milliseconds=50)
BOUND_SECONDS = 60
FEW_EVENTS = 50
FEW_BYTES = 50_000
"""Queues this small are full after some fifty events."""


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        yield MemoryBus(capacity=FEW_EVENTS)
        return
    url = request.getfixturevalue("rabbit_url")
    async with open_rabbit_bus(
        url, name="test", clock=SystemClock(), random=Random(1), queue_bytes=FEW_BYTES
    ) as opened:
        yield opened


async def take(subscription: Subscription, count: int) -> list[str]:
    """Receive and acknowledge until `count` events were seen."""
    seen: list[str] = []
    async with asyncio.timeout(BOUND_SECONDS):
        while len(seen) < count:
            batch = await subscription.receive(most=count, wait=SOON)
            seen.extend(ids(batch.events))
            await subscription.acknowledge(batch)
    return seen


async def test_every_group_gets_every_event(bus: Bus) -> None:
    events = numbered(30)

    async with (
        bus.subscribe("processor") as processor,
        bus.subscribe("refresher") as refresher,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(bus.publish(events))
        at_processor = group.create_task(take(processor, 30))
        at_refresher = group.create_task(take(refresher, 30))

    assert at_processor.result() == ids(events)
    assert at_refresher.result() == ids(events)


async def test_an_event_arrives_as_it_was_published(bus: Bus) -> None:
    sent = event("one", name="web-1", request_id="req-1", payload={"deep": [1, {"x": None}]})

    async with bus.subscribe("processor") as processor, asyncio.TaskGroup() as group:
        group.create_task(bus.publish([sent]))
        batch = await processor.receive(most=10, wait=SOON)
        await processor.acknowledge(batch)
        async with bus.subscribe("refresher") as refresher:
            await take(refresher, 1)

    assert batch.events == (sent,)
    assert batch.events[0].payload == sent.payload


async def test_events_of_one_type_keep_the_publishers_order(bus: Bus) -> None:
    first = numbered(20, type="port.update.end")
    second = numbered(20, first=20, type="port.update.end")

    async def publish() -> None:
        await bus.publish(first)
        await bus.publish(second)

    async with (
        bus.subscribe("processor") as processor,
        bus.subscribe("refresher") as refresher,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(publish())
        group.create_task(take(refresher, 40))
        seen = await take(processor, 40)

    assert seen == ids([*first, *second])


async def test_copies_of_a_group_share_its_events(bus: Bus) -> None:
    events = [event(f"event-{number}", type=f"type.{number}") for number in range(30)]
    seen: list[str] = []
    everything = asyncio.Event()

    async def consume(copy: Subscription) -> None:
        while not everything.is_set():
            batch = await copy.receive(most=5, wait=SOON)
            seen.extend(ids(batch.events))
            await copy.acknowledge(batch)
            if len(seen) >= len(events):
                everything.set()

    async with (
        bus.subscribe("processor") as one,
        bus.subscribe("processor") as two,
        bus.subscribe("refresher") as refresher,
        asyncio.timeout(BOUND_SECONDS),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(bus.publish(events))
        group.create_task(take(refresher, 30))
        copies = [group.create_task(consume(copy)) for copy in (one, two)]
        await everything.wait()
        for copy in copies:
            copy.cancel()

    assert sorted(seen) == sorted(ids(events))


async def test_what_was_not_acknowledged_is_delivered_again(bus: Bus) -> None:
    events = numbered(10)

    async with asyncio.TaskGroup() as group:
        group.create_task(bus.publish(events))
        async with bus.subscribe("processor") as processor:
            lost = await processor.receive(most=10, wait=SOON)
        async with bus.subscribe("processor") as processor:
            again = await take(processor, 10)
        async with bus.subscribe("refresher") as refresher:
            await take(refresher, 10)

    assert lost.events
    assert again == ids(events)


async def test_acknowledging_a_later_batch_keeps_the_earlier_one(bus: Bus) -> None:
    events = [event("early", type="type.early"), event("late", type="type.late")]

    async with asyncio.TaskGroup() as group:
        group.create_task(bus.publish(events))
        async with bus.subscribe("processor") as processor:
            early = await processor.receive(most=1, wait=SOON)
            late = await processor.receive(most=1, wait=SOON)
            await processor.acknowledge(late)
        async with bus.subscribe("processor") as processor:
            again = await take(processor, 1)
        async with bus.subscribe("refresher") as refresher:
            await take(refresher, 2)

    assert again == ids(early.events)


async def test_a_cancelled_receive_loses_nothing(bus: Bus) -> None:
    async with (
        bus.subscribe("processor") as processor,
        bus.subscribe("refresher") as refresher,
        asyncio.TaskGroup() as group,
    ):
        waiting = group.create_task(processor.receive(most=1, wait=SOON))
        await asyncio.sleep(0)
        waiting.cancel()
        group.create_task(bus.publish([event("kept")]))
        group.create_task(take(refresher, 1))
        seen = await take(processor, 1)

    assert seen == ["kept"]


async def test_one_group_can_be_reached_past_the_others(bus: Bus) -> None:
    first, second = numbered(10, type="first"), numbered(10, first=10, type="second")

    async with (
        bus.subscribe("processor") as processor,
        bus.subscribe("refresher") as refresher,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(bus.publish_to("processor", first))
        at_processor = await take(processor, 10)
        group.create_task(bus.publish_to("refresher", second))
        at_refresher = await take(refresher, 10)

    assert at_processor == ids(first)
    assert at_refresher == ids(second)


async def test_a_group_that_nobody_has_heard_of_cannot_be_reached(bus: Bus) -> None:
    with pytest.raises(BusUnavailable):
        await bus.publish_to("nobody", [event()])


async def test_a_letter_that_died_several_times_keeps_its_history(bus: Bus) -> None:
    first = NOON - timedelta(hours=1)
    letter = DeadLetter("refresher", "503", None, b"x", NOON, first_at=first, tries=20)

    async with bus.dead_letters() as dead, asyncio.TaskGroup() as group:
        group.create_task(bus.dead_letter([letter]))
        batch = await dead.receive(most=10, wait=SOON)
        await dead.acknowledge(batch)

    assert batch.letters == (letter,)


async def test_a_dead_letter_keeps_its_bytes_and_its_reason(bus: Bus) -> None:
    letter = DeadLetter("catcher", "not JSON: line 1 column 1", "prod", b"\x00\xffnot json", NOON)

    async with bus.dead_letters() as dead, asyncio.TaskGroup() as group:
        group.create_task(bus.dead_letter([letter]))
        batch = await dead.receive(most=10, wait=SOON)
        await dead.acknowledge(batch)

    assert batch.letters == (letter,)


async def test_a_full_bus_makes_the_publisher_wait_and_loses_nothing(bus: Bus) -> None:
    events = [event(f"event-{number}", type=f"type.{number}") for number in range(300)]
    published = asyncio.Event()

    async def publish_as_the_catcher_does() -> None:
        for start in range(0, len(events), 10):
            while True:
                try:
                    await bus.publish(events[start : start + 10])
                except BusUnavailable:
                    await asyncio.sleep(0.02)
                else:
                    break
        published.set()

    missing = {"processor": set(ids(events)), "refresher": set(ids(events))}

    async def consume(group: str) -> None:
        async with bus.subscribe(group) as subscription:
            while missing[group]:
                batch = await subscription.receive(most=20, wait=SOON)
                missing[group] -= set(ids(batch.events))
                await subscription.acknowledge(batch)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(publish_as_the_catcher_does())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await published.wait()
        for group in missing:
            tasks.create_task(consume(group))
        await published.wait()

    assert missing == {"processor": set(), "refresher": set()}


async def test_publishing_nothing_returns_at_once(bus: Bus) -> None:
    await bus.publish([])
    await bus.publish_to("processor", [])
    await bus.dead_letter([])


async def test_what_a_group_has_not_received_yet_is_the_backlog(bus: Bus) -> None:
    async def there_is_one() -> bool:
        return await bus.backlog() > 0

    async def there_is_none() -> bool:
        return await bus.backlog() == 0

    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(bus.publish(numbered(3)))
        await eventually(there_is_one, what="events wait")
        async with bus.subscribe("processor") as processor:
            await take(processor, 3)
            assert await there_is_one(), "the refresher has not received them"
            async with bus.subscribe("refresher") as refresher:
                await take(refresher, 3)
                await publishing
                await eventually(there_is_none, what="nothing waits")
