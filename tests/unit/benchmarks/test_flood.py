import pytest

from tests.benchmarks.flood import Sample, sustained


def samples(*looks: tuple[float, int]) -> list[Sample]:
    return [Sample(at, events, {}) for at, events in looks]


def test_the_first_and_the_last_tenth_are_left_out() -> None:
    looks = samples((0, 0), (5, 100), (6, 500), (7, 900), (60, 1000))

    assert sustained(looks, 1000) == pytest.approx(400)


def test_a_flood_that_is_over_at_the_second_look_has_a_rate_all_the_same() -> None:
    assert sustained(samples((0, 0), (2, 1000)), 1000) == pytest.approx(500)
