"""Cost: how many API calls a busy cloud needs, beside what others would have made.

The trace is what a simulated cloud of a fixed seed does: boots, deletes, resizes, ports, floating
IPs, volumes, images. Its time and ours are one clock that the benchmark moves in steps, so a minute
is a minute to every window, delay and token, however long the machine takes for it; the APIs are
asked over HTTP and answer as the cloud is at that moment. Nothing is scaled. How many events come
in a second decides how many share a call, so there are several traces: a busy hour, a busier cloud,
and an hour of a calm one.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest import mock

import orjson

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.normalise import normalise
from services.refresher.consume import Windows
from services.refresher.resources import ALL
from services.simulator.app import Simulator
from services.simulator.life.life import Rate
from services.simulator.notification import Notification
from services.simulator.settings import SimulatorSettings
from shared.catalogue.load import builtin
from shared.catalogue.targets import deletions, targets
from shared.event import Event
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.resource import ResourceRef
from shared.store.database import Database
from shared.store.embedded import embedded_postgres
from shared.store.migrations import migrate
from tests.support.clocks import FixedClock
from tests.support.refreshing import Setting
from tests.support.truth import Wrong, wrong_rows

TRACES = ((3600, 40.0, 500), (120, 100.0, 1000), (3600, 10.0, 500))
"""(seconds, events a second, servers)."""
STEP = timedelta(milliseconds=500)
SETTLING = timedelta(seconds=30)
NOTIFIED = sorted(set(ALL) - {"flavor"})
"""Compared at the end; flavors look otherwise in the newest microversion, which tells the truth."""
MANAGEIQ_CALLS = {
    "server": 41,
    "port": 17,
    "router": 17,
    "volume": 19,
    "network": 18,
    "project": 18,
}
"""For one target, as its own recorded cassettes show; of other kinds it has none."""
MANAGEIQ_OTHERS = 17
MANAGEIQ_BATCH = timedelta(seconds=10)
"""Its refresh worker polls so often; what is asked for several times between is one target."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the hour cost."""

    events: int
    calls: Counter[str]
    """By service."""
    by_form: Counter[str]
    named: int
    """Objects that events named as changed or gone, event by event."""
    manageiq: int
    """Requests that ManageIQ makes for the same targets."""
    tokens: int
    told: int
    """Objects taken from notifications."""
    objects: int
    """In the cloud, at the end."""
    wrong: int
    """Of them, those that the inventory lacks, has too much, or shows otherwise."""
    silent: int
    """As many more, of which OpenStack tells nobody: the next full pass finds them."""

    @property
    def total(self) -> int:
        """All calls."""
        return self.calls.total()


async def cost(*, seconds: int, per_second: float, servers: int) -> Result:
    """Let a cloud live for so long and follow it."""
    async with followed(servers) as (simulator, setting, client):
        await setting.make_passes()
        await settle(setting, SETTLING)
        client.calls.clear()
        life, events = simulator.state.life, list[Event]()
        life.origin = setting.clock.now()
        life.elapsed = 0.0
        life.start(Rate(notifications=per_second))
        steps = int(timedelta(seconds=seconds) / STEP)
        for step in range(1, steps + 1):
            setting.clock.advance(STEP)
            sent = life.advance(step * STEP.total_seconds())
            new = [event_of(one, setting.clock) for one in sent]
            events += new
            await setting.intake.handle(new)
            await work_off(setting)
        await end(simulator, setting, events)
        calls = client.calls.copy()
        objects, found = await differences(simulator, setting)
        silent = sum(each.silent for each in found)
        return Result(
            events=len(events),
            calls=calls,
            by_form=forms(setting),
            named=sum(len(touched(event)) for event in events),
            manageiq=manageiq(events),
            tokens=client.tokens_fetched,
            told=int(total(setting, "osevents_objects_told_total")),
            objects=objects,
            wrong=len(found) - silent,
            silent=silent,
        )


async def end(simulator: Simulator, setting: Setting, events: list[Event]) -> None:
    """Let what is in flight end, and what waits be read."""
    life = simulator.state.life
    life.stop()
    while life.in_flight:
        setting.clock.advance(STEP)
        sent = life.advance((setting.clock.now() - life.origin).total_seconds())
        new = [event_of(one, setting.clock) for one in sent]
        events += new
        await setting.intake.handle(new)
        await work_off(setting)
    await settle(setting, SETTLING)


async def settle(setting: Setting, duration: timedelta) -> None:
    """Let time pass."""
    for _ in range(int(duration / STEP)):
        setting.clock.advance(STEP)
        await work_off(setting)


async def work_off(setting: Setting) -> None:
    """Read what is due."""
    while claimed := await setting.worker.claim():
        await setting.worker.work(claimed)


@asynccontextmanager
async def followed(servers: int) -> AsyncIterator[tuple[Simulator, Setting, CloudClient]]:
    """Run a cloud at rest, a database, and the parts of a refresher with its usual windows."""
    clock = FixedClock()
    settings = SimulatorSettings(servers=servers, rate=0, seed=1)
    with TemporaryDirectory(prefix="osevents-cost-") as name:
        directory = Path(name)
        # The embedded server may run as another user.
        directory.chmod(0o755)  # noqa: ASYNC240 - a local directory
        async with (
            embedded_postgres(directory) as url,
            Simulator.open(settings, clock=clock, random=Random(1)) as simulator,
        ):
            await migrate(url)
            file = directory / "clouds.yaml"
            simulator.write_clouds_yaml(file, "prod")
            with mock.patch.dict(os.environ, {"OS_CLIENT_CONFIG_FILE": str(file)}):
                config = load_cloud("prod")
            async with (
                Database.open(url, application="osevents-bench") as database,
                CloudClient.open(config, clock=clock, random=Random(2)) as client,
            ):
                setting = Setting(database, client, clock)
                setting.intake = replace(setting.intake, windows={"prod": Windows()})
                yield simulator, setting, client


def event_of(notification: Notification, clock: FixedClock) -> Event:
    """Decode a notification as the catcher does."""
    opened = open_envelope(orjson.dumps(notification.message))
    return normalise(opened, cloud="prod", received_at=clock.now(), catalogue=builtin())


def touched(event: Event) -> set[ResourceRef]:
    """Return the objects that an event says are changed or gone: what it would have read."""
    asked = {one.ref for one in targets(event, builtin()) if one.kind in ALL}
    return asked | {ref for ref in deletions(event, builtin()) if ref.kind in ALL}


def manageiq(events: Sequence[Event]) -> int:
    """Return what ManageIQ asks for the same targets, of which it merges those of one batch."""
    batch = MANAGEIQ_BATCH.total_seconds()
    merged = {
        (ref, int(event.time.timestamp() / batch)) for event in events for ref in touched(event)
    }
    return sum(MANAGEIQ_CALLS.get(ref.kind, MANAGEIQ_OTHERS) for ref, _ in merged)


async def differences(simulator: Simulator, setting: Setting) -> tuple[int, list[Wrong]]:
    """Return how many objects there are, and which of them the inventory has otherwise."""
    objects, found = 0, list[Wrong]()
    for kind in NOTIFIED:
        resource = ALL[kind]
        true = {id_: dict(resource.shape(item)) for id_, item in simulator.truth(kind).items()}
        rows = await setting.inventory.find(kind, most=1_000_000)
        objects += len(true)
        found += wrong_rows(kind, {row.ref.id: row.object or {} for row in rows}, true)
    return objects, found


def total(setting: Setting, name: str) -> float:
    """Return a counter, summed over its labels."""
    return sum(
        sample.value
        for metric in setting.registry.collect()
        for sample in metric.samples
        if sample.name == name
    )


def forms(setting: Setting) -> Counter[str]:
    """Return the reads made for targets, by kind and form."""
    return Counter(
        {
            f"{sample.labels['kind']} {sample.labels['form']}": int(sample.value)
            for metric in setting.registry.collect()
            for sample in metric.samples
            if sample.name == "osevents_reads_total"
        }
    )


def report(result: Result, *, seconds: int, servers: int) -> list[str]:
    """Return the lines to print."""
    rate = result.events / seconds
    most = ", ".join(f"{count} {form}" for form, count in result.by_form.most_common(6))
    rows = (
        ("API calls, full passes not counted", f"{result.total}"),
        ("  for each event", f"{result.total / result.events:.3f}"),
        ("  for each object that events named", f"{result.total / result.named:.3f}"),
        ("one GET for each of them would be", f"{result.named}"),
        ("ManageIQ's requests for the same targets", f"{result.manageiq}"),
        ("objects taken from notifications", f"{result.told}"),
        ("tokens fetched", f"{result.tokens}"),
        ("rows that differ from the cloud at the end", f"{result.wrong} of {result.objects}"),
        ("  in what OpenStack tells nobody", f"{result.silent}"),
    )
    return [
        f"cost of {result.events} events, {rate:.0f}/s, of a cloud of {servers} servers",
        *(f"  {name:<44} {value:>12}" for name, value in rows),
        f"  most reads: {most}",
    ]


async def bench() -> list[str]:
    """Run it in full."""
    lines: list[str] = []
    for seconds, per_second, servers in TRACES:
        result = await cost(seconds=seconds, per_second=per_second, servers=servers)
        lines += report(result, seconds=seconds, servers=servers)
    return lines
