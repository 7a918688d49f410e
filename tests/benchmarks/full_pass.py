"""Full pass: everything of a large cloud is listed, beside a serial openstacksdk listing of it.

The simulated cloud is a process of its own on the same cores, and serves both alike. openstacksdk
lists servers, ports and volumes one after the other and keeps nothing; osevents also commits what
it read to PostgreSQL: every row and its history the first time, what changed afterwards.
"""

import asyncio
import time
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import psutil

from tests.benchmarks.rig import CLOUD, Rig, rig
from tests.support.deployment import Service
from tests.support.waiting import eventually

SERVERS = 20_000
PORTS_PER_SERVER = 3
KINDS = ("server", "port", "volume")
PAGE_SIZES: Mapping[str, Mapping[str, Any]] = {"default": {}, "1000": {"limit": 1000}}
SAMPLE_SECONDS = 0.1
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Result:
    """What the passes and the listings of one cloud took."""

    objects: Mapping[str, int]
    sdk_seconds: Mapping[str, float]
    """By the page size it was given: `default` or `1000`; empty where only memory is measured."""
    first_seconds: float
    """Into an empty inventory."""
    again_seconds: float
    """When nothing has changed."""
    idle_mib: float
    """Resident size of the refresher before its first pass."""
    peak_mib: float

    @property
    def fair_sdk_seconds(self) -> float | None:
        """Return the faster of the two: what somebody who knows openstacksdk would get."""
        return min(self.sdk_seconds.values(), default=None)


async def full_pass(servers: int, *, beside_sdk: bool = True) -> Result:
    """List a cloud of that many servers with full passes, and before that with openstacksdk."""
    cloud = {"ports_per_server": PORTS_PER_SERVER, "volumes_per_server": 1}
    async with rig(servers=servers, **cloud) as it:
        listed = {
            name: await asyncio.to_thread(_list_with_sdk, it.deployment.directory, limit)
            for name, limit in (PAGE_SIZES if beside_sdk else {}).items()
        }
        service = it.deployment.add("refresher")
        service.start()
        async with _watched(service) as sizes:
            await service.ready()
            idle = sizes[-1]
            first = await _passes(it, asked_by="start")
            asked = await asyncio.to_thread(
                it.deployment.run, "refresh", "--full", "--config", str(it.deployment.config)
            )
            assert asked.returncode == 0, asked.stderr
            again = await _passes(it, asked_by="request")
        return Result(
            objects=await _held(it),
            sdk_seconds={name: seconds for name, (seconds, _) in listed.items()},
            first_seconds=first,
            again_seconds=again,
            idle_mib=idle / MIB,
            peak_mib=max(sizes) / MIB,
        )


def _list_with_sdk(directory: Path, limit: Mapping[str, Any]) -> tuple[float, int]:
    """List everything one after the other; return how long it took, and how much there was."""
    with warnings.catch_warnings():
        # About itself: what later versions of it will no longer have.
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        region = openstack.config.OpenStackConfig(
            config_files=[str(directory / "clouds.yaml")], load_envvars=False
        ).get_one(cloud=CLOUD)
        with openstack.connection.Connection(config=region) as connection:
            connection.authorize()
            began = time.perf_counter()
            count = sum(1 for _ in connection.compute.servers(all_projects=True, **limit))
            count += sum(1 for _ in connection.network.ports(**limit))
            count += sum(1 for _ in connection.block_storage.volumes(all_projects=True, **limit))
            return time.perf_counter() - began, count


async def _passes(it: Rig, *, asked_by: str) -> float:
    """Wait for the passes of all kinds; return what those of the large ones took together."""
    large = "from passes where asked_by = $1 and kind = any ($2::text[])"

    async def are_over() -> bool:
        statement = f"select count(*) filter (where finished_at is not null) = $3 {large}"
        return bool(await it.database.fetch_value(statement, asked_by, list(KINDS), len(KINDS)))

    await eventually(are_over, what=f"the passes asked for by {asked_by} are over", seconds=900)
    row = await it.database.fetch_row(
        "select extract(epoch from max(finished_at) - min(began_at))::float8 as seconds, "
        f"bool_and(state = 'done') as done {large}",
        asked_by,
        list(KINDS),
    )
    assert row is not None
    assert row["done"]
    return float(row["seconds"])


async def _held(it: Rig) -> dict[str, int]:
    rows = await it.database.fetch(
        "select kind, count(*) as count from resources where deleted_at is null group by kind"
    )
    return {row["kind"]: row["count"] for row in rows if row["kind"] in KINDS}


@asynccontextmanager
async def _watched(service: Service) -> AsyncIterator[list[int]]:
    """Look at the resident size of a service again and again."""
    assert service.process is not None
    process = psutil.Process(service.process.pid)
    sizes = [process.memory_info().rss]

    async def look() -> None:
        while True:
            sizes.append(process.memory_info().rss)
            await asyncio.sleep(SAMPLE_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield sizes
    finally:
        looking.cancel()


def report(result: Result) -> list[str]:
    """Return the lines to print."""
    total = sum(result.objects.values())
    what = ", ".join(f"{result.objects.get(kind, 0)} {kind}s" for kind in KINDS)
    fair = result.fair_sdk_seconds
    lines = [f"full pass of {what}"]
    for name, seconds in result.sdk_seconds.items():
        lines.append(f"  openstacksdk, page size {name:<8} {seconds:7.1f} s")
    for name, seconds in (
        ("first pass, empty inventory", result.first_seconds),
        ("pass again, nothing changed", result.again_seconds),
    ):
        times = "" if fair is None else f", {fair / seconds:.1f} x"
        lines.append(f"  {name:<32} {seconds:7.1f} s   {total / seconds:6.0f} objects/s{times}")
    lines.append(
        f"  refresher's resident memory: {result.idle_mib:.0f} MiB before,"
        f" {result.peak_mib:.0f} MiB at its peak"
    )
    return lines


async def bench() -> list[str]:
    """Measure the large cloud and, for the memory, one of a tenth and one of twice its size."""
    small = report(await full_pass(SERVERS // 10))
    large = report(await full_pass(SERVERS))
    return [*small, *large, *report(await full_pass(SERVERS * 2, beside_sdk=False))]
