"""The short form of the rules' benchmark: that it still runs; how fast is not judged here."""

from tests.benchmarks import rules


async def test_the_cost_of_rules_is_reported_for_each_set() -> None:
    costs = await rules.measure(rounds=1, events=1000)

    assert [cost.rules for cost in costs] == [0, 100, 1000]
    assert costs[0].looked == 0
    assert costs[2].looked > costs[1].looked > 0
    assert all(cost.per_second > 0 for cost in costs)
    assert "1000 rules" in "\n".join(rules.report(costs))
