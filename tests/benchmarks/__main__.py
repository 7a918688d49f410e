"""`make bench`: runs the benchmarks and prints their report; `ONLY="flood steady"` picks some.

Each is a module with `async def bench() -> list[str]`, which measures and returns the lines of its
report; a short form of it stands in `test_short.py`, so that it cannot rot.
"""

import asyncio
import importlib
import platform
import sys

import psutil

BENCHMARKS = (
    "catchup", "actions", "decoding", "flood", "steady", "full_pass", "timeline", "cost",
    "freshness", "rules",
)  # fmt: skip


async def main(wanted: list[str]) -> None:
    """Run the benchmarks that are wanted, all when none is named."""
    if unknown := set(wanted) - set(BENCHMARKS):
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {BENCHMARKS}")
    print(
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB,"
        f" Python {platform.python_version()}, {platform.system()} {platform.release()}",
        flush=True,
    )
    for name in wanted or BENCHMARKS:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        print("\n".join(await module.bench()), flush=True)


asyncio.run(main(sys.argv[1:]))
