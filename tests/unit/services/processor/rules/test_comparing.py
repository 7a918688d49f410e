"""Comparisons that a condition stands or falls with."""

from typing import Any

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.rules.comparing import comparisons
from services.processor.rules.conditions import ConditionFailed, View, compiled
from tests.support.events import event

_FIELDS = ("project", "phase", "state", "host", "level")
_VALUES = ("error", "a", "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('event.project == "a"', (("project", "a"),)),
        ("event.project == 'a b' && payload.x > 1", (("project", "a b"),)),
        ('payload.x > 1 && event.project == "a"', (("project", "a"),)),
        ('event.phase == "error" || event.state == "error"',
         (("phase", "error"), ("state", "error"))),
        ('event.phase == "error" && (payload.x || payload.y)', (("phase", "error"),)),
        ('event.name == "a && b || c ? d" && payload.x', (("name", "a && b || c ? d"),)),
    ],
)  # fmt: skip
def test_comparisons_are_found(source: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert comparisons(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "payload.x == 1",
        'event.phase == "error" || payload.x == 1',
        '!(event.phase == "error")',
        'event.phase != "error"',
        'event.known == "true"',
        'event.name == "a\\"" && payload.x',
        'event.name == r"a"',
        'event.name == "a" + "b"',
        'payload.l.exists(x, event.name == "a" && x == 1)',
        'event.phase == "error" ? payload.x : payload.y',
        'event.phase == "error" // && event.state == "a"\n || payload.x',
        '"a" == event.name',
    ],
)
def test_what_may_hold_without_a_comparison_is_left_to_cel(source: str) -> None:
    assert comparisons(source) == ()


def _terms() -> st.SearchStrategy[str]:
    fields, values = st.sampled_from(_FIELDS), st.sampled_from(_VALUES)
    equal = st.builds('event.{} == "{}"'.format, fields, values)
    return st.recursive(
        equal
        | st.builds('event.{} != "{}"'.format, fields, values)
        | st.sampled_from(["payload.missing == 1", "payload.there == 1", "true", "false"]),
        lambda inner: (
            st.builds("{} && {}".format, inner, inner)
            | st.builds("{} || {}".format, inner, inner)
            | st.builds("({})".format, inner)
            | st.builds("!({})".format, inner)
            | st.builds("({} ? {} : {})".format, inner, inner, inner)
        ),
        max_leaves=8,
    )


@given(
    _terms(),
    st.fixed_dictionaries({name: st.sampled_from(("error", "a", "")) for name in _FIELDS[:3]}),
    st.sampled_from((None, *_VALUES)),
)
def test_a_condition_answers_as_cel_alone_would(
    source: str, fields: dict[str, Any], host: str | None
) -> None:
    met = event(payload={"there": 1})._replace(host=host, **fields)
    condition = compiled(source)
    values = {name: getattr(met, name) for name in _FIELDS}
    try:
        expected: object = cel.compile(source).execute({"event": values, "payload": met.payload})
    except (RuntimeError, ValueError, TypeError, LookupError):
        expected = ConditionFailed
    try:
        answer: object = condition.holds(View(met, condition.fields, condition.payload))
    except ConditionFailed:
        answer = ConditionFailed
    assert answer == expected
