"""Flood: notifications wait on OpenStack's side; how fast do they become timeline rows?

All services run, the refresher reads the simulated cloud's APIs meanwhile, and broker, database and
simulated cloud run on the same cores. Beside it, in the same run: a bare aio-pika consumer that
only acknowledges the same messages. Memory is watched all along.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aio_pika
import psutil

from tests.benchmarks.rig import EXCHANGES, Rig, channel, rig
from tests.support.deployment import Service
from tests.support.waiting import eventually

NOTIFICATIONS = 200_000
BARE = "bench.bare"
SERVICES = ("catcher", "processor", "refresher")
SAMPLE_SECONDS = 0.25
ROWS_METRIC = "osevents_timeline_rows_total"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything."""

    at: float
    events: int
    rss_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """What a flood showed."""

    notifications: int
    body_bytes: float
    bare_per_second: float
    events_per_second: float
    cpu_microseconds: Mapping[str, float]
    """Of each part, for each event."""
    samples: Sequence[Sample]

    def rss_mib(self, service: str, *, after: int = 0) -> float:
        """Return the highest resident size of a service once `after` events were written."""
        sizes = [item.rss_bytes[service] for item in self.samples if item.events >= after]
        return max(sizes) / MIB


async def flood(notifications: int, *, servers: int) -> Result:
    """Let that many notifications wait, then start osevents."""
    async with rig(servers=servers, pace=0.05) as it:
        notifications, body_bytes = await prepare(it, notifications)
        bare_per_second = await bare_consumer(it.node.url(), notifications)
        services = await it.start("processor", "refresher")
        await it.settled()
        already = await asyncio.to_thread(written, services["processor"])
        services["catcher"] = it.deployment.add("catcher")
        before = it.cpu_seconds()
        services["catcher"].start()
        samples = await watch(services, already, notifications)
        used = {name: seconds - before.get(name, 0.0) for name, seconds in it.cpu_seconds().items()}
        return Result(
            notifications=notifications,
            body_bytes=body_bytes,
            bare_per_second=bare_per_second,
            events_per_second=sustained(samples, notifications),
            cpu_microseconds={
                name: 1e6 * seconds / notifications for name, seconds in used.items()
            },
            samples=samples,
        )


async def prepare(it: Rig, notifications: int) -> tuple[int, float]:
    """Let notifications wait in the catcher's queue and in a bare one; return count and size."""
    async with channel(it.node.url()) as opened:
        bare = await opened.declare_queue(BARE, durable=True)
        for exchange in EXCHANGES:
            await bare.bind(exchange, "notifications.*")
    # A catcher makes and binds its queue, and leaves.
    catcher = (await it.start("catcher"))["catcher"]
    catcher.stop()
    sent = await it.live(notifications, per_second=100_000)
    async with channel(it.node.url()) as opened:

        async def all_wait() -> bool:
            queue = await opened.declare_queue(BARE, passive=True)
            return (queue.declaration_result.message_count or 0) >= sent

        await eventually(all_wait, what=f"{sent} messages wait", seconds=600)
        queue = await opened.get_queue(BARE)
        sizes = [len(message.body) for message in [await queue.get() for _ in range(200)]]
    return sent, sum(sizes) / len(sizes)


async def bare_consumer(url: str, notifications: int) -> float:
    """Return how many messages a second aio-pika consumes and acknowledges, doing nothing else."""
    done = asyncio.Event()
    seen = 0
    began = 0.0

    async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal seen, began
        if not seen:
            began = time.perf_counter()
        seen += 1
        await message.ack()
        if seen == notifications:
            done.set()

    async with channel(url) as opened:
        await opened.set_qos(prefetch_count=1000)
        queue = await opened.get_queue(BARE)
        await queue.consume(on_message)
        async with asyncio.timeout(600):
            await done.wait()
    return seen / (time.perf_counter() - began)


async def watch(services: Mapping[str, Service], already: int, until: int) -> list[Sample]:
    """Look again and again until all rows are there."""
    samples = [Sample(time.perf_counter(), 0, dict.fromkeys(services, 0))]
    async with asyncio.timeout(1800):
        while samples[-1].events < until:
            samples.append(
                Sample(
                    time.perf_counter(),
                    await asyncio.to_thread(written, services["processor"]) - already,
                    {name: rss(service) for name, service in services.items()},
                )
            )
            await asyncio.sleep(SAMPLE_SECONDS)
    return samples


def written(processor: Service) -> int:
    """Return how many rows a processor has committed; counting the table would cost too much."""
    _, text = processor.get("/metrics")
    return int(float(text.partition(f"\n{ROWS_METRIC} ")[2].partition("\n")[0]))


def sustained(samples: Sequence[Sample], notifications: int) -> float:
    """Return events a second between the first and the last tenth: without warming up."""
    start = [item for item in samples if item.events <= notifications // 10][-1]
    end = next(item for item in samples if item.events >= notifications * 9 // 10)
    return (end.events - start.events) / (end.at - start.at)


def rss(service: Service) -> int:
    """Return the resident size of a service, zero while it does not run."""
    if service.process is None or not service.running:
        return 0
    return int(psutil.Process(service.process.pid).memory_info().rss)


def report(result: Result) -> list[str]:
    """Return the lines to print."""
    ratio = result.events_per_second / result.bare_per_second
    lines = [
        f"flood of {result.notifications} notifications of {result.body_bytes:.0f} bytes",
        f"  timeline rows          {result.events_per_second:8.0f} /s sustained",
        f"  bare aio-pika consumer {result.bare_per_second:8.0f} /s; ours is {ratio:.2f} of it",
        "  processor time for each event:",
    ]
    for name, microseconds in sorted(result.cpu_microseconds.items(), key=lambda item: -item[1]):
        lines.append(f"    {name:<16} {microseconds:7.1f} us")
    lines.append(f"    {'sum':<16} {sum(result.cpu_microseconds.values()):7.1f} us")
    lines.append("  resident memory, MiB:     at 20 000   peak")
    first = min(20_000, result.notifications // 2)
    for service in SERVICES:
        early = next(
            item.rss_bytes[service] / MIB for item in result.samples if item.events >= first
        )
        lines.append(f"    {service:<16} {early:13.0f} {result.rss_mib(service):9.0f}")
    return lines


async def bench() -> list[str]:
    """Run it in full."""
    return report(await flood(NOTIFICATIONS, servers=500))
