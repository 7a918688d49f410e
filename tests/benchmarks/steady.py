"""Steady: two hundred events a second from a living cloud. How late, and how many API calls?

Latency to the timeline is the processor's own histogram, which it fills after its commit. Latency
to the inventory is seen from outside: a reader polls the history of changes and compares the time
when it sees a change with that of the event that caused it, so it counts up to a poll too much.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.benchmarks.rig import Rig, rig
from tests.support.deployment import Service

SECONDS = 120
POLL_SECONDS = 0.025
COUNTED_ONCE = timedelta(seconds=1)
LAG_METRIC = "osevents_timeline_lag_seconds"


@dataclass(frozen=True, slots=True)
class Result:
    """What a steady life showed."""

    events: int
    per_second: float
    timeline_p50: float
    timeline_p99: float
    inventory_seconds: Sequence[float]
    """For each change that an event caused: from the event to its being visible."""
    calls: int
    tokens: int
    changed_object_windows: int
    """Objects that events touched, counted once in each second."""
    single_gets: int
    """What one GET for each event with a subject would have cost."""


async def steady(
    *,
    per_second: float,
    seconds: int,
    servers: int,
    refresh: dict[str, Any] | None = None,
    **simulator: Any,
) -> Result:
    """Let a cloud live at that rate for that long; `refresh` is set for it, `simulator` for us."""
    async with rig(servers=servers, refresh=refresh, **simulator) as it:
        services = await it.start("catcher", "processor", "refresher")
        await it.settled()
        before = await asyncio.to_thread(it.simulator.calls)
        began = datetime.now(UTC)
        watching = asyncio.create_task(watch_changes(it))
        await it.live(int(per_second * seconds), per_second=per_second)
        await it.settled()
        watching.cancel()
        after = await asyncio.to_thread(it.simulator.calls)
        histogram = await asyncio.to_thread(lag_histogram, services["processor"])
        return Result(
            events=await it.events(),
            per_second=per_second,
            timeline_p50=quantile(histogram, 0.5),
            timeline_p99=quantile(histogram, 0.99),
            inventory_seconds=await inventory_latencies(it, began),
            calls=total(after) - total(before),
            tokens=int(after["tokens_issued"]),
            changed_object_windows=await object_windows(it, began),
            single_gets=int(
                await it.database.fetch_value(
                    "select count(*) from events where subject_id is not null and time >= $1",
                    began,
                )
            ),
        )


def total(calls: dict[str, Any]) -> int:
    """Return all API calls but logins, which are counted as tokens."""
    identity = calls["services"].get("identity", {})
    logins = sum(count for call, count in identity.items() if "projects" not in call)
    return int(sum(calls["totals"].values()) - logins)


SEEN = (
    "create table if not exists bench_seen (number bigint primary key, seen timestamptz not null)"
)


async def watch_changes(it: Rig) -> None:
    """Note when each change becomes visible, until cancelled."""
    await it.database.execute(SEEN)
    last = int(await it.database.fetch_value("select coalesce(max(number), 0) from changes"))
    while True:
        last = int(
            await it.database.fetch_value(
                "with new as (insert into bench_seen select number, $2 from changes "
                "where number > $1 on conflict do nothing returning number) "
                "select coalesce(max(number), $1) from new",
                last,
                datetime.now(UTC),
            )
        )
        await asyncio.sleep(POLL_SECONDS)


async def inventory_latencies(it: Rig, began: datetime) -> list[float]:
    """Return event-to-visible seconds of every change that an event caused."""
    rows = await it.database.fetch(
        "select extract(epoch from seen.seen - events.time)::float8 as seconds "
        "from bench_seen as seen join changes using (number) "
        "join events on events.cloud = changes.cloud and events.id = changes.cause "
        "where changes.cause_kind = 'event' and events.time >= $1",
        began,
    )
    return sorted(row["seconds"] for row in rows)


async def object_windows(it: Rig, began: datetime) -> int:
    """Return how many (object, second) pairs the events named."""
    return int(
        await it.database.fetch_value(
            "select count(distinct (ref, floor(extract(epoch from time) / $2))) "
            "from events, unnest(refs) as ref where time >= $1 and phase <> 'start'",
            began,
            COUNTED_ONCE.total_seconds(),
        )
    )


def lag_histogram(processor: Service) -> list[tuple[float, float]]:
    """Return (upper bound, events up to it) of the processor's lag."""
    _, text = processor.get("/metrics")
    found = re.findall(rf'{LAG_METRIC}_bucket{{.*?le="([^"]+)"}} ([0-9.e+]+)', text)
    return [(float(bound), float(count)) for bound, count in found]


def quantile(histogram: Sequence[tuple[float, float]], share: float) -> float:
    """Return a quantile, interpolated within its bucket, as Prometheus does."""
    wanted = histogram[-1][1] * share
    low_bound, low_count = 0.0, 0.0
    for bound, count in histogram:
        if count >= wanted:
            if bound == float("inf"):
                return low_bound
            return low_bound + (bound - low_bound) * (wanted - low_count) / (count - low_count)
        low_bound, low_count = bound, count
    return low_bound


def at(sorted_values: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def report(result: Result) -> list[str]:
    """Return the lines to print."""
    thousand = result.events / 1000
    inventory = result.inventory_seconds
    windows = max(1, result.changed_object_windows)
    rows = (
        ("notification to timeline row, p50", f"{result.timeline_p50 * 1000:.0f} ms"),
        ("notification to timeline row, p99", f"{result.timeline_p99 * 1000:.0f} ms"),
        ("notification to inventory row, p50", f"{at(inventory, 0.5):.2f} s"),
        ("notification to inventory row, p99", f"{at(inventory, 0.99):.2f} s"),
        ("  changes seen", f"{len(inventory)}"),
        ("API calls for 1000 events", f"{result.calls / thousand:.0f}"),
        ("  one GET for each event would be", f"{result.single_gets / thousand:.0f}"),
        ("API calls per object and second", f"{result.calls / windows:.2f}"),
        ("tokens fetched", f"{result.tokens}"),
    )
    return [
        f"steady life of {result.per_second:.0f} events/s, {result.events} events",
        *(f"  {name:<40} {value:>10}" for name, value in rows),
    ]


async def bench() -> list[str]:
    """Run it in full."""
    return report(await steady(per_second=200, seconds=SECONDS, servers=500))
