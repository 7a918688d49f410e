"""A dry run is true: going through what was recorded gives what really fired."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from services.processor.rules.deciding import decide, elapse, look_at
from services.processor.rules.engine import STOPPED, decision_time, running_of, saved, states_of
from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard
from services.processor.rules.state import KeyState, StateKey, micros, moment_of
from services.processor.rules.trial import Trial
from services.processor.rules.verdicts import Outcome, Verdict
from shared.event import Event
from shared.store.rules import StoredState
from tests.support.rule_life import Arrival, Life, chosen, every_kind, lives

RULES = every_kind()
GUARD = Guard()


class Reality:
    """What processors do to the database, without one: the same functions, in the same order."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.stored: dict[StateKey, StoredState] = {}
        self.stretches: list[tuple[datetime, datetime]] = []
        self.recorded: list[tuple[datetime, Event]] = []
        self.verdicts: list[Verdict] = []

    def arrive(self, events: Iterable[Event], now: datetime) -> None:
        looked = look_at(self.rules, GUARD, events)
        stored = [self.stored[key] for key in looked.needed if key in self.stored]
        at = decision_time(now, stored)
        states = states_of(stored, self.rules)
        self.verdicts += looked.verdicts
        running = running_of(self.stretches)
        for candidate in looked.candidates:
            self.verdicts += decide(candidate, states, at, running)
        self._save(states, at)
        self.recorded += [(moment_of(at), item) for item in events]

    def tick(self, now: datetime) -> None:
        if self.stretches and self.stretches[-1][1] >= now - STOPPED:
            began, ended = self.stretches[-1]
            self.stretches[-1] = (began, max(ended, now))
        else:
            decided = [each.decided_at for each in self.stored.values() if each.decided_at]
            begin = max([now, *decided])
            self.stretches.append((begin, begin))
        running = running_of(self.stretches)
        for key, stored in list(self.stored.items()):
            if stored.due_at is not None and stored.due_at <= now:
                at = decision_time(now, [stored])
                state = states_of([stored], self.rules)[key]
                new, told = elapse(self.rules.by_name[key.rule], key.key, state, at, running)
                self.verdicts += told
                self._save({key: new}, at)

    def _save(self, states: dict[StateKey, KeyState], at: int) -> None:
        for each in saved(states, self.rules, at):
            self.stored[StateKey(each.rule, each.key)] = each


def real(life: Life, rules: RuleSet) -> Reality:
    reality = Reality(rules)
    for step in life.steps:
        if isinstance(step, Arrival):
            reality.arrive(step.events, step.now)
        else:
            reality.tick(step.now)
    return reality


def tried(reality: Reality) -> list[Verdict]:
    """Go through what was recorded, until the clock was last said to run."""
    trial = Trial(reality.rules, GUARD, running_of(reality.stretches))
    history = sorted(
        reality.recorded, key=lambda row: (row[0], row[1].time, row[1].cloud, row[1].id)
    )
    verdicts: list[Verdict] = []
    for at, rows in groupby(history, key=lambda row: row[0]):
        verdicts += trial.events([item for _, item in rows], micros(at))
    last = max((ended for _, ended in reality.stretches), default=None)
    return verdicts + (trial.end(micros(last)) if last else [])


def counted(verdicts: Iterable[Verdict]) -> Counter[tuple[object, ...]]:
    return Counter((each.rule, each.event, each.outcome, each.at, each.key) for each in verdicts)


@given(lives(), st.sets(st.sampled_from([rule.name for rule in RULES.rules]), min_size=1))
@settings(max_examples=150)
def test_a_dry_run_over_the_history_says_what_really_was_decided(
    life: Life, names: set[str]
) -> None:
    reality = real(life, chosen(RULES, sorted(names)))

    assert counted(tried(reality)) == counted(reality.verdicts)


@given(lives())
@settings(max_examples=40)
def test_no_event_makes_a_rule_fire_twice(life: Life) -> None:
    fired = [
        (said.rule, said.event)
        for said in real(life, RULES).verdicts
        if said.outcome is Outcome.FIRED
    ]
    assert len(fired) == len(set(fired))


@given(lives())
@settings(max_examples=40)
def test_a_throttle_is_never_exceeded(life: Life) -> None:
    reality = real(life, chosen(RULES, ["throttled"]))
    decided = {(item.cloud, item.id): micros(at) for at, item in reality.recorded}
    by_key: dict[str, list[int]] = {}
    for said in reality.verdicts:
        if said.outcome is Outcome.FIRED:
            by_key.setdefault(said.key, []).append(decided[said.event])
    for moments in by_key.values():
        for moment in moments:
            window = [each for each in moments if moment - 180_000_000 < each <= moment]
            assert len(window) <= 2


@given(lives())
@settings(max_examples=40)
def test_state_is_bounded_and_survives_its_own_json(life: Life) -> None:
    for stored in real(life, RULES).stored.values():
        assert stored.state is not None
        assert KeyState.load(stored.state).dump() == stored.state
        assert len(stored.state) < 8000
