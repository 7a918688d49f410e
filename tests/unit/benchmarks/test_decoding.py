"""The benchmark of the decoding runs and adds up; what it measures is for a quiet machine."""

from tests.benchmarks.decoding import MORE_TYPES, lookups, measure, own_bodies, report


def test_it_tells_the_speed_and_every_stage() -> None:
    told = list(report(own_bodies(), rounds=1))

    assert "events/s a core (8 notifications of" in told[0]
    assert [line.split(" us")[0].rstrip("0123456789.- ") for line in told[1:5]] == [
        "  parse the JSON, twice",
        "  open the envelope",
        "  remove secrets",
        "  normalise",
    ]
    assert len(told) == 7


def test_the_stages_add_up_to_the_whole() -> None:
    result = measure(own_bodies(), rounds=3)

    assert result.per_second == 1e6 / sum(result.stages.values())
    assert result.per_second > 100


def test_the_larger_catalogue_is_that_much_larger() -> None:
    ours, larger = lookups(["port.update.end"], rounds=1)

    assert larger == ours * (MORE_TYPES + 1)
