"""The short form of the benchmarks: that they still run and report; how fast is not judged here."""

import pytest

from tests.benchmarks import flood, steady

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(600)]


async def test_the_flood_reports_rates_shares_and_memory() -> None:
    result = await flood.flood(1500, servers=20)

    assert result.notifications >= 1500
    assert result.events_per_second > 0
    assert result.bare_per_second > 0
    assert {"catcher", "processor", "refresher", "RabbitMQ", "PostgreSQL"} <= set(
        result.cpu_microseconds
    )
    assert "sustained" in "\n".join(flood.report(result))


async def test_the_steady_life_reports_latency_and_calls() -> None:
    result = await steady.steady(per_second=100, seconds=5, servers=20)

    assert result.events >= 500
    assert result.timeline_p99 >= result.timeline_p50 > 0
    assert result.inventory_seconds
    assert result.calls > 0
    assert result.tokens == 1
    # The budget of the design: one call for each changed object in a merge window.
    assert result.calls <= result.changed_object_windows
    assert "tokens fetched" in "\n".join(steady.report(result))
