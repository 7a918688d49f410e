"""The catalogue answers for every event type, and always the same."""

from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.load import builtin
from shared.event import Action, Flavour, Level, Phase

words = st.text("abcdefgh_-:", min_size=1, max_size=10)
names = st.lists(words, min_size=1, max_size=5).map(".".join)


@given(names | st.text())
def test_every_type_has_an_entry(event_type: str) -> None:
    entry = builtin().lookup(event_type)

    assert entry.type == event_type
    assert all(entry.readings[flavour].subjects({}) == () for flavour in Flavour)
    assert builtin().lookup(event_type) is entry


@given(names.map(lambda name: f"zz.{name}.error"))
def test_every_failure_is_critical(event_type: str) -> None:
    entry = builtin().lookup(event_type)

    assert (entry.phase, entry.level) == (Phase.ERROR, Level.CRITICAL)


def test_every_catalogued_type_is_known_and_sound() -> None:
    for rule in builtin().rules:
        entry = builtin().lookup(rule.pattern.replace("*", "some.thing"), rule.service)
        assert entry.known, rule
        assert entry.service == rule.service, rule
        assert entry.action is not Action.NONE or not entry.refresh, rule
        for refresh in entry.refresh:
            assert refresh.kind or entry.kind or rule.kind_names, rule
