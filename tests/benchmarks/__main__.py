"""`make bench`: runs the benchmarks and prints their report."""

import asyncio
import platform
import sys

import psutil

from tests.benchmarks import decoding, flood, steady

FLOOD = 200_000
STEADY_SECONDS = 120


async def main() -> None:
    """Run everything; `python -m tests.benchmarks flood` runs one."""
    wanted = sys.argv[1:] or ["decoding", "flood", "steady"]
    print(
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB,"
        f" Python {platform.python_version()}, {platform.system()} {platform.release()}",
        flush=True,
    )
    if "decoding" in wanted:
        print("\n".join(decoding.report(decoding.bodies(), rounds=decoding.ROUNDS)), flush=True)
    if "flood" in wanted:
        print("\n".join(flood.report(await flood.flood(FLOOD, servers=500))), flush=True)
    if "steady" in wanted:
        result = await steady.steady(per_second=200, seconds=STEADY_SECONDS, servers=500)
        print("\n".join(steady.report(result)), flush=True)


asyncio.run(main())
