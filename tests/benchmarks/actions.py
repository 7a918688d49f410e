"""How fast actions reach a receiver, and whether receivers that are down slow that.

One worker in this process, PostgreSQL and the receiver in processes of their own. First a backlog
of firings, then firings one by one, each alone and beside many receivers that are down: some refuse
connections, one takes them and never answers. The first tries of those that are down, a hundred
each, are made in the time of the second backlog and take their share of the processor; what tells
of delay is the latency one by one.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry

from services.processor.actions.kinds import BUILTIN
from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import Tools
from services.processor.actions.worker import ActionWorker, Effort
from shared.clock import SystemClock
from shared.firing import Firing
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from shared.store.outbox import put
from tests.support.events import event
from tests.support.firings import firing, webhook
from tests.support.ports import closed_port
from tests.support.unreliable import receiver_process
from tests.support.waiting import eventually

CLOCK = SystemClock()
PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one round."""

    per_second: float
    """Of the backlog."""
    median_seconds: float
    """From stored to delivered, one by one."""
    p99_seconds: float


async def bench() -> list[str]:
    """Measure with sizes that take half a minute."""
    return report(*await measure(backlog=3000, seconds=8, down=20))


def report(alone: Result, beside: Result) -> list[str]:
    """Return the lines of the report."""
    return [
        "actions: webhooks from one processor's worker to one receiver",
        *(
            f"  {name}: {result.per_second:.0f} /s of a backlog;"
            f" at {PER_SECOND} /s from stored to done median {result.median_seconds * 1000:.0f} ms,"
            f" p99 {result.p99_seconds * 1000:.0f} ms"
            for name, result in (("alone", alone), ("beside dead receivers", beside))
        ),
        f"  rate beside dead receivers: {beside.per_second / alone.per_second:.2f} of alone",
    ]


async def measure(*, backlog: int, seconds: int, down: int) -> tuple[Result, Result]:
    """Measure alone, and beside `down` receivers that are down with 100 firings each."""
    with TemporaryDirectory(prefix="osevents-bench-") as name:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with embedded_postgres(directory) as url:
            await migrate(url)
            async with Database.open(url) as database, working(database), silence() as silent:
                with receiver_process(directory, failing=0) as healthy:
                    alone = await round_of(database, healthy.url, "alone", backlog, seconds)
                    with ExitStack() as held:
                        dead = [held.enter_context(closed_port()) for _ in range(down)]
                        for where in (*(f"http://127.0.0.1:{port}/" for port in dead), silent):
                            await store(database, firings(where, where, 100))
                        beside = await round_of(database, healthy.url, "beside", backlog, seconds)
    return alone, beside


@asynccontextmanager
async def working(database: Database) -> AsyncIterator[None]:
    """Run a worker as a processor does."""
    worker = ActionWorker(
        worker="bench",
        kinds=BUILTIN,
        tools=Tools(database=database, clock=CLOCK, bus_url=None),
        clock=CLOCK,
        random=Random(1),
        metrics=ActionMetrics(CollectorRegistry()),
        effort=Effort(drain=timedelta(milliseconds=100)),  # nothing else waits for its end
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """Take connections and never answer; gives the URL."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while await reader.read(2**16):
                pass

    async with await asyncio.start_server(ignore, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def round_of(database: Database, url: str, name: str, backlog: int, seconds: int) -> Result:
    """Measure one round."""
    begun = CLOCK.now()
    await store(database, firings(url, f"{name} backlog", backlog))
    await all_done(database, f"{name} backlog")
    per_second = backlog / (CLOCK.now() - begun).total_seconds()
    for each in firings(url, f"{name} single", seconds * PER_SECOND):
        await store(database, [each])
        await asyncio.sleep(1 / PER_SECOND)
    await all_done(database, f"{name} single")
    median, p99 = await database.fetch_row(
        "select percentile_cont(0.5) within group (order by lag), "
        "percentile_cont(0.99) within group (order by lag) from ("
        "select extract(epoch from ended_at - stored_at)::float as lag "
        "from firings join actions on firing = id where rule = $1) as lags",
        f"{name} single",
    ) or (0.0, 0.0)
    return Result(per_second, median, p99)


def firings(url: str, rule: str, count: int) -> list[Firing]:
    """Make firings of one rule with a webhook."""
    now = CLOCK.now()
    return [
        firing(webhook(url), rule=rule, about=event(f"{rule} {number}", time=now))
        for number in range(count)
    ]


async def store(database: Database, some: Sequence[Firing]) -> None:
    """Put firings into the outbox."""
    async with database.transaction() as connection:
        await put(connection, some, now=CLOCK.now())


async def all_done(database: Database, rule: str) -> None:
    """Return when every action of a rule is done."""

    async def done() -> bool:
        left = await database.fetch_value(
            "select count(*) from firings join actions on firing = id"
            " where rule = $1 and state <> 'done'",
            rule,
        )
        return int(left) == 0

    await eventually(done, what=f"the actions of {rule} are done", seconds=600)
