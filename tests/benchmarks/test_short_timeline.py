"""The timeline benchmark in short: it still asks everything, and finds what it should."""

from tests.benchmarks import timeline


async def test_every_question_about_the_timeline_is_asked() -> None:
    result = await timeline.measure(20_000, rounds=2)

    assert result.events == 20_000
    for name in ("all", "cloud, most of all", "two levels", "kind", "text, frequent", "a day"):
        assert result.timings[f"page: {name}"].rows == timeline.PAGE, name
    assert result.timings["page: nothing found"].rows == 0
    assert result.timings["page: request"].rows == 4
    assert result.timings["oldest first"].rows == timeline.PAGE
    assert result.timings["chart of a day"].rows > 0
    assert all(0 < each.p50_ms <= each.p95_ms for each in result.timings.values())
    assert f"timeline of {result.events} events" in timeline.report(result)[0]
