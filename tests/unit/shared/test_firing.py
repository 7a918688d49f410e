from shared.firing import ActionSpec, Firing
from tests.support.events import NOON, event


def firing(rule: str = "servers in error", id_: str = "one") -> Firing:
    actions = (ActionSpec("log", {}), ActionSpec("note", {"text": "seen"}))
    return Firing(rule=rule, key="", event=event(id_), at=NOON, actions=actions)


def test_the_same_rule_and_event_make_the_same_firing_whenever_they_meet() -> None:
    assert firing().id == firing().id


def test_another_rule_or_another_event_is_another_firing() -> None:
    assert len({firing().id, firing(rule="other").id, firing(id_="two").id}) == 3


def test_each_action_of_a_firing_has_a_key_of_its_own() -> None:
    assert firing().idempotency_key(0) != firing().idempotency_key(1)
