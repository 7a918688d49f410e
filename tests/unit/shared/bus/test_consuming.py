"""The consumers' loop, over the real in-process bus."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backoff import Backoff
from shared.bus.consuming import Consumer, Handle, Note
from shared.bus.memory import MemoryBus
from shared.bus.port import Subscription
from shared.clock import SystemClock
from shared.codec import SINGLE, decode
from shared.errors import Permanent, StoreUnavailable
from shared.event import Event
from shared.heartbeat import heartbeat_event
from tests.support.events import NOON, ids, numbered

SOON = timedelta(milliseconds=20)


def consumer(
    subscription: Subscription, bus: MemoryBus, handle: Handle, note: Note = lambda _: None
) -> Consumer:
    return Consumer(
        group="processor",
        subscription=subscription,
        bus=bus,
        handle=handle,
        note=note,
        clock=SystemClock(),
        random=Random(1),
        backoff=Backoff(first_seconds=0.001, longest_seconds=0.002),
    )


class Handler:
    """Commits events, except poison; fails as often as told before it begins to work."""

    def __init__(self, poison: set[str], failures: int = 0) -> None:
        self.poison = poison
        self.failures = failures
        self.committed: list[str] = []

    async def __call__(self, events: Sequence[Event]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the store is away")
        bad = [event.id for event in events if event.id in self.poison]
        if bad:
            raise Permanent(f"cannot store {bad[0]}")
        self.committed.extend(ids(events))


async def consume_all(handler: Handler, events: list[Event]) -> tuple[list[str], list[str]]:
    """Run events through a consumer; return the dead letters' reasons and their event ids."""
    bus = MemoryBus(groups=("processor",))
    stop = asyncio.Event()
    reasons: list[str] = []
    dead: list[str] = []

    async def keep_dead_letters() -> None:
        async with bus.dead_letters() as letters:
            while True:
                batch = await letters.receive(most=10, wait=SOON)
                reasons.extend(letter.reason for letter in batch.letters)
                dead.extend(decode(letter.body, SINGLE)[0].id for letter in batch.letters)
                await letters.acknowledge(batch)

    async with bus.subscribe("processor") as subscription, asyncio.TaskGroup() as group:
        keeper = group.create_task(keep_dead_letters())
        running = group.create_task(consumer(subscription, bus, handler).run(stop))
        await bus.publish(events)
        stop.set()
        await running
        keeper.cancel()
    return reasons, dead


async def test_a_poison_event_dies_alone() -> None:
    handler = Handler(poison={"event-3"})

    reasons, dead = await consume_all(handler, numbered(10))

    assert dead == ["event-3"]
    assert reasons == ["cannot store event-3"]
    assert handler.committed == [f"event-{n}" for n in range(10) if n != 3]


async def test_a_store_that_is_away_is_waited_for_and_nothing_dies() -> None:
    handler = Handler(poison=set(), failures=3)

    _, dead = await consume_all(handler, numbered(5))

    assert dead == []
    assert handler.committed == [f"event-{n}" for n in range(5)]


@settings(max_examples=25)
@given(st.sets(st.integers(0, 15)))
def test_whatever_is_poison_every_other_event_is_committed_once(poison: set[int]) -> None:
    handler = Handler(poison={f"event-{n}" for n in poison})

    _, dead = asyncio.run(consume_all(handler, numbered(16)))

    assert sorted(dead) == sorted(handler.poison)
    assert handler.committed == [f"event-{n}" for n in range(16) if n not in poison]


async def test_stopping_finishes_the_batch_in_hand() -> None:
    bus = MemoryBus(groups=("processor",))
    stop = asyncio.Event()
    started, finish = asyncio.Event(), asyncio.Event()
    committed: list[str] = []

    async def slowly(events: Sequence[Event]) -> None:
        started.set()
        await finish.wait()
        committed.extend(ids(events))

    async with bus.subscribe("processor") as subscription, asyncio.TaskGroup() as group:
        publishing = group.create_task(bus.publish(numbered(3)))
        running = group.create_task(consumer(subscription, bus, slowly).run(stop))
        await started.wait()
        stop.set()
        finish.set()
        await running
        await publishing

    assert committed == ["event-0", "event-1", "event-2"]


async def test_heartbeats_are_noted_after_what_came_before_and_never_handled() -> None:
    bus = MemoryBus(groups=("processor",))
    stop = asyncio.Event()
    handler = Handler(poison=set())
    noted: list[tuple[str, list[str]]] = []
    beat = heartbeat_event(id_="beat", cloud="prod", instance="one", now=NOON)

    def note(event: Event) -> None:
        noted.append((event.id, list(handler.committed)))
        stop.set()

    async with bus.subscribe("processor") as subscription, asyncio.TaskGroup() as group:
        group.create_task(consumer(subscription, bus, handler, note).run(stop))
        await bus.publish([*numbered(2), beat])

    assert noted == [("beat", ["event-0", "event-1"])]
    assert handler.committed == ["event-0", "event-1"]
