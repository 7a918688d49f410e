from datetime import timedelta

import pytest

from services.processor.rules.conditions import (
    EVERYTHING,
    FIELDS,
    LONGEST,
    ConditionFailed,
    View,
    WrongCondition,
    compiled,
)
from shared.event import Event, Level
from tests.support.events import NOON, event


def holds(source: str, item: Event) -> bool:
    condition = compiled(source)
    return condition.holds(View(item, condition.fields, condition.payload))


def refusal(source: str) -> WrongCondition:
    with pytest.raises(WrongCondition) as raised:
        compiled(source)
    return raised.value


@pytest.mark.parametrize(
    "source",
    [
        'event.state == "error"',
        'event.level == "critical" && event.project != "other"',
        "event.host == null",
        'event.subject.kind == "server" && event.subject.id == "server-1"',
        'event.type.startsWith("compute.") && event.type.matches("power_o(n|ff)")',
        'event["state"] == "error"',
        "has(payload.fault) && payload.fault.code == 500 && !has(payload.name)",
        "size(payload.volumes) == 2",
        'payload.volumes.exists(v, v.id == "b" && v.size >= 10)',
        "payload.volumes.all(v, v.size > 1)",
        'event.time < timestamp("2026-11-23T12:00:01Z")',
        "// why\n event.known",
    ],
)
def test_a_condition_reads_event_and_payload(source: str) -> None:
    payload = {
        "fault": {"code": 500},
        "volumes": [{"id": "a", "size": 5}, {"id": "b", "size": 10}],
    }
    assert holds(source, event(state="error", level=Level.CRITICAL, payload=payload))


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_read(name: str) -> None:
    assert holds(f"event.{name} == event.{name}", event())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("payload.nosuch == 1", "there is no 'nosuch' in it"),
        ("event.state > 1", "No such overload"),
        ("event.state", "its value is None, neither true nor false"),
        ("1 / 0 == 1", "division by zero"),
        ("payload.nosuch.deeper.still", "there is no 'nosuch' in it"),
        ("event.host.startsWith('a')", "startsWith"),
    ],
)
def test_a_condition_without_an_answer_says_why(source: str, reason: str) -> None:
    with pytest.raises(ConditionFailed, match=reason):
        holds(source, event())


@pytest.mark.parametrize("payload", [None, [], "text", 5, {"a": 2**70}, {"a": float("inf")}])
def test_no_payload_ends_the_engine(payload: object) -> None:
    try:
        holds("payload.a.b == 1", event(payload=payload))
    except ConditionFailed:
        return
    pytest.fail("it holds for what is not there")


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ('event.state == "a" &&', 1, 22, "is not CEL: mismatched input the end of it"),
        ('event.level == "a"\n  && event.nam == "b"', 2, 6, "did you mean event.name?"),
        ("state == 'error'", 1, 1, "did you mean event.state?"),
        ("evnt.state == 1", 1, 1, "there is no 'evnt'"),
        ("event.known && now() > 1", 1, 16, "there is no function now()"),
        ("payload.a.map(x, x.b) == [1]", 1, 11, "map() is not possible here"),
        ("payload.a.filter(x, x.b) == [1]", 1, 11, "filter() is not possible here"),
        ("payload.map(x, x) == [1]", 1, 9, "map() is not possible here"),
        ("payload.all(x, payload .all (y, x == y))", 1, 25, "within another macro"),
        ("payload.a.all(x, payload.a.all(y, x == y))", 1, 28, "within another macro"),
        ("event.name.matches(payload.pattern)", 1, 12, "takes one text in quotes"),
        ("event.name.matches('(a{1,500}){1,500}')", 1, 12, "several {n}"),
        ("true || " * 300 + "true", 1, 1, f"more than the {LONGEST}"),
        ("(" * 500 + "true" + ")" * 500, 1, 1, "is not CEL"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_place(
    source: str, line: int, column: int, message: str
) -> None:
    refused = refusal(source)

    assert message in str(refused)
    if "is not CEL" not in message or line > 1 or column > 1:
        assert (refused.line, refused.column) == (line, column)


def test_one_macro_after_another_is_possible() -> None:
    item = event(payload={"a": [1], "b": [2]})
    assert holds("payload.a.exists(x, x == 1) && payload.b.exists(x, x == 2)", item)
    assert holds("(payload.a.exists(x, (x + 1) == 2)) || payload.b.all(x, x == 1)", item)


def test_what_stands_in_quotes_is_no_code() -> None:
    assert holds('event.name == "event.nosuch.map(x, 1)"', event(name="event.nosuch.map(x, 1)"))


def test_a_condition_tells_what_it_reads() -> None:
    condition = compiled('event.state == "error" && event.time > timestamp("2026-01-01T00:00:00Z")')
    assert condition.fields == {"state", "time"}
    assert not condition.payload
    assert compiled("payload.a == 1 && has(payload.b.c)").payload == {"a", "b"}
    assert compiled('payload["nova_object.data"].host == "a"').payload == {"nova_object.data"}
    assert compiled("payload == event.name").payload == EVERYTHING
    assert compiled('payload["a" + "b"] == 1').payload == EVERYTHING
    assert compiled('event["state"] == "a"').fields == set(FIELDS)


def test_a_large_payload_is_searched_in_one_go() -> None:
    many = event(time=NOON + timedelta(seconds=1), payload={"a": list(range(20_000))})
    assert holds("payload.a.exists(x, x == 19999) && payload.a.all(x, x >= 0)", many)
