from datetime import timedelta

from services.cli.looking.status import rules
from shared.store.status import Heartbeat
from tests.support.events import NOON


def beat(instance: str, **figures_: object) -> Heartbeat:
    told = {"loaded": 3, "digest": "abc", "problems": [], **figures_}
    return Heartbeat("rules", instance, None, NOON - timedelta(seconds=1), told)


def test_the_rules_in_force_are_told() -> None:
    assert [line.row() for line in rules([beat("a"), beat("b")])] == [
        {"about": "rules", "what": "in force", "value": 3}
    ]


def test_without_rules_there_is_nothing_to_tell() -> None:
    assert list(rules([])) == []


def test_a_broken_file_is_told_once_for_all_copies() -> None:
    problem = "a.yaml:2:5 rules[0].name: is missing"
    lines = [line.row() for line in rules([beat(name, problems=[problem]) for name in "ab"])]

    assert lines[1:] == [
        {"about": "rules", "what": "broken, older ones are in force", "value": problem}
    ]


def test_copies_that_go_by_other_rules_are_told() -> None:
    lines = [line.row()["value"] for line in rules([beat("a"), beat("b", digest="def")])]

    assert lines[1] == "a abc, b def"
