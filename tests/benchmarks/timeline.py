"""Timeline: with ten million events stored, how long does a page take by each filter, or a chart?

The events are made in the database: sixty days of three clouds, with few frequent and many rare
types, projects, hosts, objects. `OSEVENTS_BENCH_EVENTS` makes fewer or more. What is measured is
what a user waits for: `Timeline.find` and `Reader.buckets`, from Python to Python.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from uuid import UUID

from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from shared.store.partitions import Partitions
from shared.store.statements import parse
from shared.store.timeline import Timeline
from shared.store.timeline_reading import Reader
from shared.store.timeline_rows import Order, Position, TimelineFilter

EVENTS = 10_000_000
AT_ONCE = 100_000
PAGE = 100
ROUNDS = 40
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAYS = 60

_SQL = parse((Path(__file__).parent / "timeline.sql").read_text(encoding="utf-8"))
Ask = Callable[[Random], Awaitable[int]]
"""Asks one thing and returns how many rows came."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one kind of question took."""

    p50_ms: float
    p95_ms: float
    rows: float
    """On average."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    events: int
    fill_seconds: float
    index_seconds: float
    stored_bytes: int
    timings: Mapping[str, Timing]


async def measure(events: int, *, rounds: int) -> Result:
    """Make a timeline of that many events, and ask it everything `rounds` times."""
    with TemporaryDirectory(prefix="osevents-bench-") as name:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as url:
            await migrate(url)
            async with Database.open(url, application="osevents-bench") as database:
                fill_seconds, index_seconds = await fill(database, events)
                stored = await database.fetch_value(
                    "select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits"
                    " where inhparent = 'events'::regclass"
                )
                timings = {
                    name: await timed(ask, rounds) for name, ask in questions(database).items()
                }
    return Result(events, fill_seconds, index_seconds, int(stored), timings)


async def fill(database: Database, events: int) -> tuple[float, float]:
    """Write the events, then make the indexes, as a load of that size is done; return seconds."""
    began = time.perf_counter()
    weeks = [NOW - timedelta(days=day) for day in range(DAYS + 1)]
    await Partitions(database).ensure(weeks, now=NOW)
    classes = await database.fetch(_SQL["classes"])
    every = Random(7).sample([row["id"] for row in classes], len(classes))
    drawn = draws([(row["id"], row["cloud"]) for row in classes])
    indexes = await database.fetch(
        "select indexname, replace(indexdef, ' ON ONLY ', ' ON ') as indexdef"
        " from pg_indexes where tablename = 'events'"
    )
    for index in indexes:
        await database.execute(f"drop index {index['indexname']}")
    starts = iter(range(0, events, AT_ONCE))

    async def write() -> None:
        for first in starts:
            last = min(first + AT_ONCE, events) - 1
            await database.execute(_SQL["fill"], first, last, events, NOW, drawn, every)

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        group.create_task(write())
    filled = time.perf_counter()
    async with database.lent() as connection:
        await connection.execute("set maintenance_work_mem = '1GB'")
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=900)
        await connection.execute("vacuum analyze events", timeout=900)
        await connection.execute("checkpoint", timeout=900)
    return filled - began, time.perf_counter() - filled


def draws(classes: Sequence[tuple[int, str]]) -> list[int]:
    """Return a hundred thousand numbers of classes: a few very often, most of them rarely."""
    random = Random(7)
    shares = {"prod": 100.0, "test": 9.0, "lab": 0.02}
    shuffled = random.sample(classes, len(classes))
    weights = [shares[cloud] / (rank + 1) ** 1.3 for rank, (_, cloud) in enumerate(shuffled)]
    return [number for number, _ in random.choices(shuffled, weights, k=100_000)]


def questions(database: Database) -> dict[str, Ask]:
    """Return every question by its name."""
    timeline = Timeline(database)

    def page(
        make: Callable[[Random], TimelineFilter],
        *,
        order: Order = "newest",
        before: Callable[[Random], Position] | None = None,
    ) -> Ask:
        async def ask(random: Random) -> int:
            place = before(random) if before else None
            return len(await timeline.find(make(random), most=PAGE, before=place, order=order))

        return ask

    async def chart(random: Random, cloud: str | None = None) -> int:
        day = NOW - timedelta(days=random.randrange(1, DAYS))
        asked = TimelineFilter(since=day, until=day + timedelta(days=1), cloud=cloud)
        return len(await Reader(database).buckets(asked, length=timedelta(hours=1), by="category"))

    def hashed(prefix: str, most: int) -> Callable[[Random], str]:
        return lambda random: md5(f"{prefix}{random.randrange(most)}".encode()).hexdigest()

    def uuid(prefix: str, most: int) -> Callable[[Random], str]:
        make = hashed(prefix, most)
        return lambda random: str(UUID(make(random)))

    F = TimelineFilter  # noqa: N806 - the table below is read by its columns
    project, user = hashed("project", 1000), hashed("user", 3000)
    server, network = uuid("server", 50_000), uuid("network", 500)
    pages = {
        "all": lambda _: F(),
        "cloud, most of all": lambda _: F(cloud="prod"),
        "cloud, one in 5000": lambda _: F(cloud="lab"),
        "a day": lambda r: F(until=NOW - timedelta(days=r.randrange(DAYS))),
        "category": lambda r: F(categories=(r.choice(("power", "storage", "identity")),)),
        "two levels": lambda _: F(levels=("critical", "warning")),
        "type": lambda r: F(types=(r.choice(("compute.server.create.end", "image.*.fail.*")),)),
        "types by pattern": lambda _: F(types=("*.fail.*", "network.*.migrate.end")),
        "kind": lambda r: F(kind=r.choice(("server", "port", "project"))),
        "service": lambda r: F(service=r.choice(("compute", "image", "identity"))),
        "state": lambda r: F(state=r.choice(("ERROR", "active"))),
        "synthetic": lambda _: F(synthetic=True),
        "object, server": lambda r: F(kind="server", id=server(r)),
        "object, busy network": lambda r: F(kind="network", id=network(r)),
        "project": lambda r: F(project=project(r)),
        "user": lambda r: F(user=user(r)),
        "host": lambda r: F(host=f"compute-{r.randrange(500)}"),
        "request": lambda r: F(request_id=f"req-{uuid('', 2000)(r)}"),
        "text, a name": lambda r: F(text=f"vm-{r.randrange(50_000)}"),
        "text, a failure": lambda r: F(text=f"valid host r{r.randrange(977)}"),
        "text, frequent": lambda _: F(text="vm"),
        "project and level": lambda r: F(project=project(r), levels=("critical",)),
        "nothing found": lambda _: F(host="compute-none"),
    }
    asked = {f"page: {name}": page(make) for name, make in pages.items()}
    end = NOW - timedelta(days=DAYS)

    def anywhere(random: Random) -> Position:
        return Position(NOW - timedelta(days=DAYS) * random.random(), "x", "prod")

    def at_the_end(_: Random) -> Position:
        return Position(end + timedelta(seconds=60), "x", "prod")

    whole = lambda _: TimelineFilter()  # noqa: E731 - as above
    host = lambda r: TimelineFilter(host=f"compute-{r.randrange(500)}")  # noqa: E731
    return asked | {
        "page anywhere": page(whole, before=anywhere),
        "last page": page(whole, before=at_the_end),
        "page anywhere: host": page(host, before=anywhere),
        "oldest first": page(whole, order="oldest"),
        "oldest first: host": page(host, order="oldest"),
        "chart of a day": chart,
        "chart of a day: cloud": lambda random: chart(random, cloud="test"),
    }


async def timed(ask: Ask, rounds: int) -> Timing:
    """Ask again and again, always about something else."""
    random = Random(7)
    seconds: list[float] = []
    rows = 0
    for _ in range(rounds):
        began = time.perf_counter()
        rows += await ask(random)
        seconds.append(time.perf_counter() - began)
    cut = quantiles(seconds, n=20)
    return Timing(1000 * cut[9], 1000 * cut[18], rows / rounds)


def report(result: Result) -> list[str]:
    """Return the lines to print."""
    lines = [
        (
            f"timeline of {result.events} events, {result.stored_bytes / 2**30:.1f} GiB"
            f" (made in {result.fill_seconds:.0f} s, indexed in {result.index_seconds:.0f} s)"
        ),
        f"  {'pages of ' + str(PAGE):<32} {'p50':>8} {'p95':>8}  rows",
    ]
    for name, timing in result.timings.items():
        lines.append(
            f"  {name:<32} {timing.p50_ms:5.1f} ms {timing.p95_ms:5.1f} ms  {timing.rows:.0f}"
        )
    return lines


async def bench() -> list[str]:
    """Run it in full."""
    return report(
        await measure(int(os.environ.get("OSEVENTS_BENCH_EVENTS", EVENTS)), rounds=ROUNDS)
    )
