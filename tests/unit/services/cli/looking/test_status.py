import pytest

from services.cli.looking.status import history_line


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        ({"events": 7, "done_ratio": 1, "left_seconds": 0}, "7 events, all loaded"),
        (
            {"events": 9000, "done_ratio": 0.25, "events_per_second": 3000, "left_seconds": 90.2},
            "9000 events, 25% of its time, 3000/s, about 0:01:30 left",
        ),
        ({"events": 5, "done_ratio": 0}, "5 events, 0% of its time, 0/s"),
    ],
)
def test_history_shows_its_progress(figures: dict[str, float], line: str) -> None:
    named = {f"osevents_history_{name}{{prod}}": value for name, value in figures.items()}

    assert history_line(named, "prod") == line
