"""What each kind of action says of settings, before anybody trusts the rule."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.processor.actions.kinds import BUILTIN, check_actions, known_kinds
from services.processor.actions.log import Log
from shared.errors import Problem
from shared.firing import ActionSpec

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("webhook", {"url": "https://hooks.example.com/osevents"}),
    ("webhook", {"url": "env:SLACK_URL", "body": '{"text": {{ event.name | tojson }}}'}),
    (
        "webhook",
        {
            "url": "https://hooks.example.com/${file:/run/secrets/path}",
            "secrets": ["env:NEW_SECRET", "file:/run/secrets/old"],
            "headers": {"Authorization": "Bearer ${env:TOKEN}", "X-Team": "ops"},
            "deadline": "20s",
            "allow_private": True,
        },
    ),
    ("publish", {"exchange": "tickets", "routing_key": "{{ event.cloud }}.{{ rule }}"}),
    ("publish", {"exchange": "", "routing_key": "queue", "url": "env:TICKETS_URL"}),
    ("publish", {"exchange": "osevents", "url": "amqp://u:${env:PASSWORD}@other/vhost"}),
    ("refresh", {}),
    ("refresh", {"of": "all", "kinds": ["server"], "full_passes": ["port"]}),
    ("note", {"text": "{{ event.subject.kind }} is off", "level": "critical"}),
    ("log", {"level": "error", "text": "{% for r in event.related %}{{ r.id }} {% endfor %}"}),
    ("python", {"function": "os.path:join", "arguments": {"team": "ops"}}),
]

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("webhook", {}, "rules.yaml:3 actions[0] url: is missing"),
    ("webhook", {"url": "ftp://a"}, "begins with https://"),
    ("webhook", {"url": "https://a", "secret": "x"}, "secret: is no setting; did you mean secrets"),
    (
        "webhook",
        {"url": "https://a", "secrets": ["whsec_abc"]},
        "a secret does not stand in a rule",
    ),
    ("webhook", {"url": "https://a", "headers": {"Authorization": "x"}}, "holds a secret; write"),
    ("webhook", {"url": "https://a", "headers": {"Webhook-Id": "x"}}, "is set by osevents"),
    ("webhook", {"url": "https://a", "headers": {"a b": "x"}}, "is no name of a header"),
    ("webhook", {"url": "https://a/${HOME}"}, "${HOME} is no reference; write ${env:NAME}"),
    ("webhook", {"url": "https://a", "deadline": "1h"}, "1h is too long for one try; at most 5m"),
    ("webhook", {"url": "https://a", "content_type": "text/plain"}, "goes with a body"),
    ("publish", {"exchange": "osevents"}, "is the bus of osevents itself"),
    ("publish", {"exchange": "a", "url": "http://b"}, "begins with amqp://"),
    ("refresh", {"of": "everything"}, "must be 'subjects', 'related'"),
    ("note", {}, "text: is missing"),
    ("note", {"text": "{{ event.nmae }}"}, "line 1: an event has no 'nmae'"),
    ("note", {"text": "{{ evnt.name }}"}, "line 1: there is no 'evnt'; there are event, rule"),
    ("log", {"text": "{% if %}"}, "line 1: Expected an expression"),
    ("python", {"function": "nowhere"}, "write package.module:function"),
    ("python", {"function": "no.such.module:f"}, "no.such.module cannot be imported"),
    ("python", {"function": "os.path:nothing"}, "os.path has no function 'nothing'"),
    ("pager", {}, "there is no kind 'pager'; the kinds: log, note, publish"),
]


@pytest.mark.parametrize(("kind", "settings"), GOOD)
def test_good_settings_have_no_problems(kind: str, settings: dict[str, Any]) -> None:
    assert check_actions(known_kinds(), [ActionSpec(kind, settings)], "rules.yaml:3") == []


@pytest.mark.parametrize(("kind", "settings", "told"), WRONG)
def test_wrong_settings_are_told_with_their_place_and_the_way_out(
    kind: str, settings: dict[str, Any], told: str
) -> None:
    [problem] = check_actions(BUILTIN, [ActionSpec(kind, settings)], "rules.yaml:3")

    assert str(problem).startswith("rules.yaml:3 actions[0]")
    assert told in str(problem)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    for kind, settings in (
        ("webhook", {"url": "https://user:open-sesame@hooks.example.com"}),
        ("publish", {"exchange": "a", "url": "amqp://user:open-sesame@broker"}),
    ):
        [problem] = check_actions(BUILTIN, [ActionSpec(kind, settings)], "")

        assert "open-sesame" not in str(problem)


def test_a_packages_kind_that_cannot_check_is_a_problem_of_its_own() -> None:
    class Careless(Log):
        def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
            raise KeyError(place, settings["name"])

    [problem] = check_actions({"room": Careless()}, [ActionSpec("room", {})], "rule")

    assert "the kind 'room' cannot check its settings: KeyError('name')" in str(problem)


def test_every_action_of_a_rule_is_checked_at_once() -> None:
    problems = check_actions(BUILTIN, [ActionSpec("note", {}), ActionSpec("webhook", {})], "rule")

    assert [problem.place for problem in problems] == [
        "rule actions[0] text",
        "rule actions[1] url",
    ]
