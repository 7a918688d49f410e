"""The short form of the actions benchmark: that it runs and reports."""

import pytest

from tests.benchmarks.actions import measure, report

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


async def test_the_actions_report_rates_and_latency_beside_dead_receivers() -> None:
    alone, beside = await measure(backlog=50, seconds=1, down=3)

    assert alone.per_second > 0
    assert beside.per_second > 0
    assert beside.p99_seconds >= beside.median_seconds > 0
    assert "of alone" in "\n".join(report(alone, beside))
