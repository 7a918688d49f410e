"""Rules: what do 0, 100 and 1000 rules cost on the processor's way to the timeline?

The processor's own `write` on a real PostgreSQL, batch after batch, with the rule sets in turn, so
that all of them meet the same machine and the same growing tables; compared is the median time of
a batch, which neighbours on the machine disturb least. The events are real notifications, decoded,
under new ids and about ever new objects.

Each ten rules are: five on one type with a condition on fields, one with a condition on the
payload, one on a whole family of types (every third time) or on one type, one with a throttle, one
that counts by object, one that waits for the end of a start. Types are drawn from those that occur.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import orjson
from prometheus_client import CollectorRegistry

from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.recordings import read_recording
from services.processor.actions.kinds import known_kinds
from services.processor.metrics import ProcessorMetrics
from services.processor.rules.load import load_rules
from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.work import RuleWork
from services.processor.service import Processor
from shared.bus.memory import MemoryBus
from shared.catalogue.load import builtin
from shared.clock import SystemClock
from shared.errors import UnreadableNotification
from shared.event import Event, Phase
from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from shared.store.timeline import Timeline
from tests.benchmarks.decoding import bodies

SETS = (0, 100, 1000)
BATCH = 500
ROUNDS = 60
_FAILED_SHARE = 0.05
"""Failures are many in the collection, to show all their forms, and rare in a cloud."""
_FAMILIES = ("compute.instance.*", "volume.*", "port.*", "network.*", "image.*", "identity.*")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one rule set cost."""

    rules: int
    events: int
    seconds: float
    """If every batch had taken the median."""
    looked: float
    """Rules that looked at an event, on average."""
    fired: float
    """Firings for each event."""

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds


async def measure(*, rounds: int, batch: int) -> list[Cost]:
    """Write `rounds` batches with each rule set, in turn."""
    with TemporaryDirectory(prefix="osevents-bench-") as name:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as url:
            await migrate(url)
            async with Database.open(url, application="osevents-bench") as database:
                return await _measure(database, rounds=rounds, batch=batch)


async def _measure(database: Database, *, rounds: int, batch: int) -> list[Cost]:
    originals = decoded()
    source = traffic(originals, Random(7))
    processors = {count: processor(database, count, originals) for count in SETS}
    timeline = Timeline(database)
    writes = {count: partial(each.write, timeline) for count, each in processors.items()}
    seconds: dict[int, list[float]] = {count: [] for count in SETS}
    for round_ in range(-2, rounds):  # two rounds to warm up
        order = SETS if round_ % 2 else SETS[::-1]
        for count in order:
            events = [next(source) for _ in range(batch)]
            began = time.perf_counter()
            await writes[count](events)
            if round_ >= 0:
                seconds[count].append(time.perf_counter() - began)
    written = (rounds + 2) * batch
    return [
        Cost(
            rules=count,
            events=rounds * batch,
            seconds=median(seconds[count]) * rounds,
            looked=_total(processors[count], "osevents_rules_evaluated_total") / written,
            fired=_total(processors[count], "osevents_rules_fired_total") / written,
        )
        for count in SETS
    ]


def decoded() -> list[Event]:
    """Return one event of each notification that there is."""
    now = datetime.now(UTC)
    return [
        normalise(read, cloud="prod", received_at=now, catalogue=builtin())
        for body in bodies()
        for read in read_recording(body)
        if not isinstance(read, UnreadableNotification)
    ]


def traffic(originals: Sequence[Event], random: Random) -> Iterator[Event]:
    """Yield these events again and again, each time another one of some object."""
    number = 0
    weights = [_FAILED_SHARE if event.phase is Phase.ERROR else 1.0 for event in originals]
    while True:
        number += 1
        (original,) = random.choices(originals, weights)
        object_ = f"object-{random.randrange(5000)}"
        yield original._replace(
            id=f"event-{number}",
            time=datetime.now(UTC),
            subjects=tuple(ResourceRef("prod", ref.kind, object_) for ref in original.subjects),
        )


def rule_file(count: int, types: Sequence[str], random: Random) -> str:
    """Return a file of that many rules on types that occur."""
    starts = [each for each in types if each.endswith(".start")] or list(types)
    return orjson.dumps({"rules": [_rule(n, types, starts, random) for n in range(count)]}).decode()


def _rule(
    number: int, types: Sequence[str], starts: Sequence[str], random: Random
) -> dict[str, object]:
    rule: dict[str, object] = {"name": f"rule-{number}", "actions": [{"log": {}}]}
    match: dict[str, object] = {"types": random.choice(types)}
    failed = 'event.phase == "error" || event.state == "error"'
    kind = number % 10
    if kind < 5:
        rule["condition"] = f'event.project == "project-{number}" && event.level == "critical"'
    elif kind == 5:
        rule["condition"] = "has(payload.fault) && payload.fault.code == 500"
    elif kind == 6:
        if number % 30 == kind:
            match = {"types": random.choice(_FAMILIES)}
        rule |= {"condition": failed, "key": "subject", "cooldown": "10m"}
    elif kind == 7:
        rule |= {"condition": failed, "throttle": {"most": 20, "within": "1m"}}
    elif kind == 8:
        rule |= {"key": "subject", "condition": failed, "count": {"events": 3, "within": "5m"}}
    else:
        start = random.choice(starts)
        match = {"types": start}
        end = start.removesuffix("start") + "{end,error}"
        rule["without"] = {"types": end, "within": "10m"}
    return {**rule, "match": match}


def processor(database: Database, count: int, originals: Sequence[Event]) -> Processor:
    """Return a processor with that many rules."""
    random, clock, registry = Random(count), SystemClock(), CollectorRegistry()
    types = sorted({event.canonical for event in originals})
    kinds = known_kinds()
    rules = load_rules([("bench.yaml", rule_file(count, types, random))], kinds)
    return Processor(
        bus=MemoryBus(groups=()),
        database=database,
        retention=timedelta(days=180),
        clock=clock,
        random=random,
        metrics=ProcessorMetrics(registry),
        rules=RuleWork.of(
            rules,
            Guard(),
            sources=(),
            kinds=kinds,
            database=database,
            clock=clock,
            metrics=RuleMetrics(registry),
            instance="bench",
        ),
    )


def _total(processor_: Processor, name: str) -> float:
    assert processor_.rules is not None, "it was made with rules"
    metrics = processor_.rules.metrics
    counters = {
        "osevents_rules_evaluated_total": metrics.evaluated,
        "osevents_rules_fired_total": metrics.fired,
    }
    return sum(
        sample.value
        for metric in counters[name].collect()
        for sample in metric.samples
        if sample.name == name
    )


def report(costs: Sequence[Cost]) -> list[str]:
    """Return the lines to print."""
    bare = costs[0]
    lines = [f"rules, over {bare.events} events for each set, batches of {BATCH}"]
    lines += [
        f"  {cost.rules:5} rules {cost.per_second:8.0f} events/s"
        f"  {100 * (1 - cost.per_second / bare.per_second):5.1f} % less"
        f"  {1e6 * (cost.seconds - bare.seconds) / cost.events:6.1f} us more for each event,"
        f" {cost.looked:.1f} rules looked, {cost.fired:.3f} fired"
        for cost in costs
    ]
    return lines


async def bench() -> list[str]:
    """Run it in full."""
    return report(await measure(rounds=ROUNDS, batch=BATCH))
