"""Templates show an event, and can do nothing else."""

import json

import pytest

from services.processor.actions.templates import LONGEST_TEXT, check_template, render
from shared.errors import Permanent
from shared.event import Event
from tests.support.events import event
from tests.support.firings import firing


def shown(text: str, about: Event | None = None) -> str:
    return render(text, firing(about=about), "key-0")


def test_a_template_shows_the_event_the_rule_and_the_key() -> None:
    text = "{{ rule }}: {{ event.type }} of {{ event.subject.id }} ({{ idempotency_key }})"

    assert shown(text) == "servers off: compute.instance.power_off.end of server-1 (key-0)"
    assert shown("{{ event.time }}") == "2026-11-23T12:00:00.000000Z"


def test_what_is_not_there_shows_as_nothing() -> None:
    assert shown("[{{ event.host }}{{ event.payload.a.b.c }}]") == "[None]"
    assert shown("{{ event.payload.a | default('-') }}") == "-"


def test_json_made_of_anything_is_json() -> None:
    nasty = event(name='"}\n</script> \u2028 {{ 7 * 7 }}')

    body = shown('{"name": {{ event.name | tojson }}, "all": {{ event | tojson }}}', nasty)

    assert json.loads(body)["name"] == nasty.name
    assert json.loads(body)["all"]["payload"] == {"instance_id": "server-1"}


def test_what_users_of_a_cloud_write_is_never_run() -> None:
    assert shown("{{ event.name }}", event(name="{{ rule }}{% for %}")) == "{{ rule }}{% for %}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ event.__class__ }}",
        "{{ event.type.upper() }}",
        "{{ range(1000000) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'a' %}",
        "{{ 'x' | center(1000000000) }}",
        "{{ event.payload | pprint }}",
        "{% for a in event.payload recursive %}{% endfor %}",
        "{% for a in event %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
        "x" * 100_000,
    ],
)
def test_whatever_could_run_or_take_long_is_refused_before_it_is_trusted(text: str) -> None:
    with pytest.raises(ValueError, match=r"line \d+: |longer than"):
        check_template(text)


def test_the_insides_of_values_are_not_there() -> None:
    assert shown("[{{ event.type.__class__ }}{{ event.payload.__init__ }}]") == "[]"


def test_a_text_that_grows_too_long_is_given_up() -> None:
    big = event(payload={"items": ["x" * 1000] * 2000})

    with pytest.raises(Permanent, match=f"more than {LONGEST_TEXT} characters"):
        shown("{% for item in event.payload['items'] %}{{ item }}{% endfor %}", big)


def test_an_event_that_a_template_cannot_show_is_told() -> None:
    with pytest.raises(Permanent, match="cannot show this event"):
        shown("{{ event.payload.instance_id | join(', ') | int + event.name }}", event(name="a"))
