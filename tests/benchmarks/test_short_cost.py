"""The short form of the benchmark of API cost: that it still counts, and ends true."""

from tests.benchmarks import cost


async def test_the_cost_is_counted_and_the_inventory_ends_true() -> None:
    result = await cost.cost(seconds=10, per_second=20, servers=20)

    assert result.events >= 100
    assert result.wrong == 0
    assert result.tokens == 1
    assert 0 < result.total < result.manageiq
    assert result.told > 0
    assert "for each event" in "\n".join(cost.report(result, seconds=10, servers=20))
