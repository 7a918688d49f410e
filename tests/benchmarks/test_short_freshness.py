"""The short form of the benchmark of freshness: that it still measures; how fast is not judged."""

import pytest

from tests.benchmarks import freshness

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(600)]


async def test_freshness_is_measured_with_apis_that_take_their_time() -> None:
    result = await freshness.freshness(per_second=50, seconds=3, servers=10, windows=False)

    assert result.inventory_seconds
    assert result.calls > 0
    assert "p99" in "\n".join(freshness.report(result, windows=False))
