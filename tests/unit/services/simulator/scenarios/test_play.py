"""What scenarios tell, in which order, and what of them a fool could get wrong."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from services.simulator.notification import VERSIONED
from services.simulator.scenarios.load import load_scenario, parse, shipped
from services.simulator.scenarios.model import Scenario
from services.simulator.scenarios.play import Told, play
from shared.errors import Misconfigured
from tests.support.events import NOON


def played(scenario: Scenario, seed: int = 1) -> list[Told]:
    return list(play(scenario, began=NOON, random=Random(seed)))


def of(steps: str, cloud: str = "{servers: 10}") -> Scenario:
    return parse(f"about: a test\ncloud: {cloud}\nsteps:\n{steps}", "test.yaml")


def types(story: list[Told]) -> Counter[str]:
    return Counter(notification.event_type for _, notification in story)


SHORT = [name for name in shipped() if name != "day-of-a-cloud"]


@pytest.mark.parametrize("name", SHORT)
def test_what_comes_with_osevents_tells_a_story_in_the_order_of_time(name: str) -> None:
    story = played(load_scenario(name))

    moments = [at for at, _ in story]
    assert story
    assert moments == sorted(moments)
    ids = [notification.message["message_id"] for _, notification in story]
    assert len(set(ids)) == len(ids)


def test_a_boot_storm_boots_a_hundred_servers_and_deletes_as_many() -> None:
    told = types(played(load_scenario("boot-storm")))

    assert told["compute.instance.create.end"] == 100
    assert told["compute.instance.delete.end"] == 100


def test_a_day_lasts_a_day() -> None:
    day = load_scenario("day-of-a-cloud")
    first = next(play(day, began=NOON, random=Random(1)))

    assert day.steps[-1].at + (day.steps[-1].live or timedelta()) == timedelta(hours=24)
    assert first[0] < timedelta(hours=1)


def test_a_failing_host_loses_all_its_servers_to_others() -> None:
    story = played(of("- {do: host fails}"))

    ends = [
        notification.message["payload"]
        for _, notification in story
        if notification.event_type == "compute.instance.rebuild.end"
    ]
    assert ends
    assert {payload["host"] for payload in ends} == {"compute-2"}
    assert {payload["state"] for payload in ends} == {"active"}


def test_a_build_that_hangs_starts_and_does_not_end() -> None:
    told = types(played(of("- {do: build hangs}")))

    assert told["compute.instance.create.start"] == 1
    assert "compute.instance.create.end" not in told


def test_a_resize_that_fails_is_told_at_level_error_in_both_formats() -> None:
    story = played(of("- {do: resize fails}", "{servers: 10, notification_format: both}"))

    failed = {
        notification.event_type: (notification.topic, notification.message["priority"])
        for _, notification in story
        if notification.event_type.endswith("resize.error")
    }
    assert failed == {
        "compute.instance.resize.error": ("notifications", "ERROR"),
        "instance.resize.error": (VERSIONED, "ERROR"),
    }


def test_steps_are_spread_over_their_time() -> None:
    story = played(of("- {at: 10s, do: rename server, times: 4, within: 8s}"))

    assert [at.total_seconds() for at, _ in story] == [10, 12, 14, 16]


def test_the_same_seed_tells_the_same_story() -> None:
    steps = "- {live: 20s, operations_per_second: 5}"

    assert played(of(steps), seed=7) == played(of(steps), seed=7)
    assert played(of(steps), seed=7) != played(of(steps), seed=8)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("about: x\nsteps: [{do: fly}]", "'fly' is nothing that can be done"),
        ("about: x\nsteps: [{at: soon, do: boot server}]", "'soon' is no duration"),
        ("about: x\nsteps: [{at: 1s}]", "either `do`"),
        ("about: x\nsteps: []", "steps"),
        ("steps: [{do: boot server}]", "about"),
        ("about: x\nsteps: [{do: boot server, tmies: 3}]", "did you mean times"),
        ("about: [", "is not YAML"),
    ],
)
def test_a_scenario_that_cannot_be_played_says_what_is_wrong_and_where(
    text: str, says: str
) -> None:
    with pytest.raises(Misconfigured, match=says) as error:
        parse(text, "mine.yaml")
    [problem] = error.value.problems
    assert problem.place.startswith("mine.yaml")


def test_an_unknown_scenario_names_those_that_there_are() -> None:
    with pytest.raises(Misconfigured, match="boot-storm"):
        load_scenario("boot-strom")
