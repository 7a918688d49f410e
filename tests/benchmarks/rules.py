"""Rules: what do 0, 100 and 1000 rules cost a processor that works off what waits on the bus?

The processor is the real process: it receives from RabbitMQ, decodes, writes and decides in one
transaction of PostgreSQL, acknowledges, and runs the actions of what fired (each a line of its
log). Each set of rules has a database and a bus of its own and meets the very same events; the
sets take turns, round after round, on the same broker, database server and cores. Rates are those
between the first and the last tenth of a round, without the start of the process.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psutil
from prometheus_client.parser import text_string_to_metric_families

from shared.bus.rabbitmq import RabbitBus, open_rabbit_bus
from shared.clock import SystemClock
from shared.event import Event
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from tests.benchmarks.flood import ROWS_METRIC
from tests.benchmarks.rig import used_by
from tests.benchmarks.rules_traffic import decoded, rule_file, traffic
from tests.support.deployment import Deployment, Service
from tests.support.rabbitmq import fresh_vhost, running_node

SETS = (0, 100, 1000)
EVENTS = 12_000
"""Of one set in one round."""
ROUNDS = 6
_PUBLISHED_AT_ONCE = 1000
_SAMPLE_SECONDS = 0.2
_MOST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: when, how many rows there were, what each part had used of the processors."""

    at: float
    rows: int
    cpu_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Round:
    """What one set of rules cost in one round."""

    per_second: float
    cpu_microseconds: Mapping[str, float]
    """Of each part, for each event."""
    looked: float
    """Rules that looked at an event, on average."""
    fired: float
    """Firings for each event."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one set of rules cost, in all rounds."""

    rules: int
    rounds: Sequence[Round]

    @property
    def per_second(self) -> float:
        """Events a second, the median of the rounds."""
        return median(each.per_second for each in self.rounds)

    @property
    def looked(self) -> float:
        """Rules that looked at an event, on average."""
        return median(each.looked for each in self.rounds)

    @property
    def fired(self) -> float:
        """Firings for each event."""
        return median(each.fired for each in self.rounds)

    def less_than(self, bare: "Cost") -> float:
        """Return which share of the throughput is lost, the median of what each round says."""
        pairs = zip(self.rounds, bare.rounds, strict=True)
        return median(1 - mine.per_second / theirs.per_second for mine, theirs in pairs)

    def cpu_microseconds(self, part: str) -> float:
        """Return the processor time of a part for each event, the median of the rounds."""
        return median(each.cpu_microseconds[part] for each in self.rounds)


@dataclass(slots=True)
class Contender:
    """A processor with one set of rules, its bus and the events that it is going to meet."""

    rules: int
    bus: RabbitBus
    processor: Service
    source: Iterator[Event]
    rounds: list[Round] = field(default_factory=list)

    async def work_off(self, events: int, others: Mapping[str, int]) -> Round:
        """Let that many events wait, then start the processor; `others` are processes beside it."""
        for start in range(0, events, _PUBLISHED_AT_ONCE):
            some = islice(self.source, min(_PUBLISHED_AT_ONCE, events - start))
            await self.bus.publish_to("processor", list(some))
        self.processor.start()
        assert self.processor.process is not None, "it was just started"
        roots = {"processor": self.processor.process.pid, **others}
        samples, metrics = [_look(roots, 0)], ""
        async with asyncio.timeout(_MOST_SECONDS):
            while samples[-1].rows < events:
                await asyncio.sleep(_SAMPLE_SECONDS)
                status, metrics = await asyncio.to_thread(self.processor.get, "/metrics")
                if status:
                    samples.append(_look(roots, int(_total(metrics, ROWS_METRIC))))
        await asyncio.to_thread(self.processor.stop)
        return _round(samples, events, metrics)


def _look(roots: Mapping[str, int], rows: int) -> Sample:
    used = {name: used_by(psutil.Process(pid)) for name, pid in roots.items()}
    return Sample(time.perf_counter(), rows, used)


def _round(samples: Sequence[Sample], events: int, metrics: str) -> Round:
    first = [each for each in samples if each.rows <= events // 10][-1]
    last = next(each for each in samples if each.rows >= events * 9 // 10)
    rows = last.rows - first.rows
    return Round(
        per_second=rows / (last.at - first.at),
        cpu_microseconds={
            part: 1e6 * (last.cpu_seconds[part] - first.cpu_seconds[part]) / rows
            for part in first.cpu_seconds
        },
        looked=_total(metrics, "osevents_rules_evaluated_total") / events,
        fired=_total(metrics, "osevents_rules_fired_total") / events,
    )


def _total(metrics: str, name: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == name
    )


async def measure(*, rounds: int, events: int) -> list[Cost]:
    """Let each set of rules work off that many events in each round, in turn."""
    async with _contenders() as (contenders, others):
        for number in range(rounds):
            for contender in contenders if number % 2 else contenders[::-1]:
                contender.rounds.append(await contender.work_off(events, others))
        return [Cost(each.rules, each.rounds) for each in contenders]


@asynccontextmanager
async def _contenders() -> AsyncIterator[tuple[list[Contender], Mapping[str, int]]]:
    """Start broker and database server, and prepare what is compared."""
    originals = decoded()
    types = sorted({event.canonical for event in originals})
    with TemporaryDirectory(prefix="osevents-bench-") as name, running_node() as node:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as url, AsyncExitStack() as stack:
            contenders = []
            for count in SETS:
                bus_url = stack.enter_context(fresh_vhost(node)).url
                bus = open_rabbit_bus(
                    bus_url, name="bench", clock=SystemClock(), random=Random(count)
                )
                place = directory / f"rules-{count}"
                place.mkdir()
                rules = place / "rules.yaml"
                rules.write_text(rule_file(count, types, Random(count)))
                database_url = await _new_database(url, f"rules_{count}")
                deployment = Deployment(place, _configuration(bus_url, database_url, rules))
                deployment.write()
                stack.callback(deployment.close)
                contenders.append(
                    Contender(
                        rules=count,
                        bus=await stack.enter_async_context(bus),
                        processor=deployment.add("processor"),
                        source=traffic(originals, Random(7)),
                    )
                )
            postmaster = directory / "postgres" / "postmaster.pid"
            pid = int(postmaster.read_text().split()[0])
            yield contenders, {"PostgreSQL": pid, "RabbitMQ": node.pid}


async def _new_database(url: str, name: str) -> str:
    """Make a database with our tables on the server of `url`; return the URL of it."""
    async with Database.open(url, application="osevents-bench") as database:
        await database.execute(f"create database {name}")
    mine = urlsplit(url)._replace(path=f"/{name}").geturl()
    await migrate(mine)
    return mine


def _configuration(broker: str, database: str, rules: Path) -> dict[str, Any]:
    cloud = {"name": "prod", "amqp": {"transports": [broker.replace("amqp://", "rabbit://")]}}
    return {
        "database": {"url": database},
        "bus": {"url": broker},
        "clouds": [{"source": "amqp", **cloud}],
        "rules": [str(rules)],
    }


def report(costs: Sequence[Cost]) -> list[str]:
    """Return the lines to print."""
    bare = costs[0]
    parts = list(bare.rounds[0].cpu_microseconds)
    lines = [
        f"rules: a processor works off what waits on the bus, medians of {len(bare.rounds)} rounds",
        "  events: the notifications of the collection, in random order, about 5000 objects,",
        "    failures a twentieth as frequent as the others",
        "  each ten rules: 5 that compare fields, 1 that reads the payload, 1 with a cooldown,",
        "    1 with a throttle, 1 that counts by object, 1 that waits 10 minutes for an end",
        f"  {'':10} {'events/s':>9} {'less':>7} {'looked':>7} {'fired':>7}"
        + "".join(f" {part:>11}" for part in parts)
        + "   (us of processor time for each event)",
    ]
    for cost in costs:
        lines.append(
            f"  {cost.rules:4} rules {cost.per_second:9.0f} {100 * cost.less_than(bare):5.1f} %"
            f" {cost.looked:7.2f} {cost.fired:7.3f}"
            + "".join(f" {cost.cpu_microseconds(part):11.1f}" for part in parts)
        )
        rates = sorted(each.per_second for each in cost.rounds)
        lines.append(f"             rounds from {rates[0]:.0f} to {rates[-1]:.0f} events/s")
    return lines


async def bench() -> list[str]:
    """Run it in full."""
    return report(await measure(rounds=ROUNDS, events=EVENTS))
