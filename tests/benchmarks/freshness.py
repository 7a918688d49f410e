"""Freshness: how long after an event its object's row has changed, with APIs that take their time.

The steady life of `steady`, with 50 ms for every answer of the simulated cloud: once as osevents
comes, once without merge and batch windows and with quick second looks. Seen from outside, by
polling the history of changes; a change that an agent made silently counts against the event that
had it looked at.
"""

from tests.benchmarks import steady

LATENCY_SECONDS = 0.05
SECONDS = 60
SERVICES = ("compute", "network", "volume", "image")
WITHOUT = {"merge_window": "0s", "batch_window": "0s", "second_look": "1s"}
"""Reads at once find ports that their agents have yet to bring up; the default looks again late."""


async def freshness(
    *, per_second: float, seconds: int, servers: int, windows: bool
) -> steady.Result:
    """Let a cloud with slow APIs live at that rate for that long."""
    slow = {service: {"delay": LATENCY_SECONDS} for service in SERVICES}
    return await steady.steady(
        per_second=per_second,
        seconds=seconds,
        servers=servers,
        refresh={} if windows else WITHOUT,
        misbehaviour={"apis": slow},
    )


def report(result: steady.Result, *, windows: bool) -> list[str]:
    """Return the lines to print."""
    seen = result.inventory_seconds
    name = "with merge and batch window" if windows else "without windows"
    calls = 1000 * result.calls / result.events
    return [
        f"freshness at {result.per_second:.0f} events/s, APIs of 50 ms, {name}",
        f"  event to changed row, p50 {steady.at(seen, 0.5):8.3f} s",
        f"  event to changed row, p99 {steady.at(seen, 0.99):8.3f} s",
        f"  changes seen {len(seen)}, calls for 1000 events {calls:.0f}",
    ]


async def bench() -> list[str]:
    """Run it in full."""
    lines: list[str] = []
    for windows in (True, False):
        result = await freshness(per_second=200, seconds=SECONDS, servers=500, windows=windows)
        lines += report(result, windows=windows)
    return lines
