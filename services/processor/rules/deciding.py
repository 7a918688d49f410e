"""The second half of a decision, which needs what the rule remembers. Pure: time is an argument.

There is one clock, the *decision clock*: it says when an event was decided, rises from decision to
decision of one key, and is what the timeline keeps as `recorded_at`. Whoever goes through the
timeline in that order and asks these functions again gets the same answers, whatever happened in
between: that is what makes `osevents rules test` true. Windows over events (count, silence, after,
without) go by the events' own time, limits on firings go by the decision clock, so that a backlog
that is worked off in a minute does not fire for a day.

A wait is over at a moment that follows from the events alone (`Running.over`). Ticks only reveal
it: whoever comes to a key later finds the same.
"""

from bisect import insort
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, replace

from services.processor.rules.index import NOBODY, RuleSet
from services.processor.rules.looking import Candidate, Guard, Role, look
from services.processor.rules.model import TWIN_MEMORY, After, Count, Rule, Silence, Without
from services.processor.rules.quiet import is_quiet
from services.processor.rules.state import (
    EMPTY,
    KeyState,
    Pending,
    Running,
    StateKey,
    kept_latest,
    micros,
    moment_of,
)
from services.processor.rules.verdicts import EventRef, Outcome, Verdict
from shared.event import Event, Flavour

MOST_PENDING = 32
"""Starts of one key that wait at a time, and partners of one key that are remembered."""
_TWIN_WINDOW = 2_000_000
"""Microseconds between the two forms of a fact, at most; the timeline's `--once` says the same."""
_MOST_FACTS = 64
_MOST_OVER = 4
"""Starts remembered after their wait was over: the other form may come later still."""
_TWIN_MEMORY = micros(TWIN_MEMORY)

Step = tuple[KeyState, list[Verdict]]


@dataclass(slots=True)
class Looked:
    """What rules say of some events at first sight, in the order of their decisions."""

    candidates: list[Candidate]
    verdicts: list[Verdict]
    looks: int = 0
    """How often a rule looked at an event."""

    @property
    def needed(self) -> set[StateKey]:
        """The pieces of state that deciding takes."""
        return {key for candidate in self.candidates for key in needed(candidate)}


def look_at(rules: RuleSet, guard: Guard, events: Iterable[Event]) -> Looked:
    """Return what rules say at first sight of events that are decided about together.

    Their order is that of time, cloud and id, however they were delivered.
    """
    looked = Looked([], [])
    concerned = [event for event in events if rules.looking_at(event) is not NOBODY]
    for event in sorted(concerned, key=lambda event: (event.time, event.cloud, event.id)):
        for said in look(rules, guard, event):
            looked.looks += 1
            if said is None:
                continue
            if isinstance(said, Candidate):
                looked.candidates.append(said)
            else:
                looked.verdicts.append(said)
    return looked


def needed(candidate: Candidate) -> list[StateKey]:
    """Return the pieces of state that deciding about the candidate takes; none for most."""
    rule = candidate.rule
    keys = []
    if candidate.fact is not None:
        keys.append(StateKey(rule.name, candidate.fact))
    if rule.correlation is not None or rule.limited:
        keys.append(StateKey(rule.name, candidate.key))
    return keys


def decide(
    candidate: Candidate, states: MutableMapping[StateKey, KeyState], at: int, running: Running
) -> list[Verdict]:
    """Decide about one candidate at `at` of the decision clock, and change `states` accordingly.

    `states` must hold what `needed` names, as far as it exists.
    """
    rule = candidate.rule
    told: list[Verdict] = []
    if candidate.fact is not None:
        fact = StateKey(rule.name, candidate.fact)
        states[fact], twin = _paired(states.get(fact, EMPTY), candidate, at)
        if twin:
            return [_verdict(candidate, Outcome.TWIN)]
    if rule.correlation is None and not rule.limited:
        return _fire(candidate, EMPTY, at)[1]
    key = StateKey(rule.name, candidate.key)
    state, told = elapse(rule, key.key, states.get(key, EMPTY), at, running)
    if not state.pending and at - state.touched > micros(rule.memory):
        state = EMPTY
    step = _correlated if candidate.role is Role.TRIGGER else _noted
    state, more = step(candidate, replace(state, touched=at), at)
    states[key] = state
    return told + more


def elapse(rule: Rule, key: str, state: KeyState, until: int, running: Running) -> Step:
    """Return what becomes of a state when the decision clock gets to `until`."""
    over: list[tuple[int, Pending]] = []
    for each in state.pending:
        moment = running.over(each.due)
        if moment is not None and moment <= until:
            over.append((moment, each))
    told: list[Verdict] = []
    for moment, each in sorted(over):
        left = tuple(other for other in state.pending if other != each)
        state = replace(state, pending=left, touched=max(state.touched, moment))
        if isinstance(rule.correlation, Without):
            deadline = each.time + micros(rule.correlation.within)
            state = replace(state, others=kept_latest((*state.others, each.time), _MOST_OVER))
            ref = EventRef(each.cloud, each.id)
            state, verdict = _limited(rule, key, state, ref, deadline, moment)
            told.append(verdict)
    return state, told


def _paired(state: KeyState, candidate: Candidate, at: int) -> tuple[KeyState, bool]:
    """Tell whether the other form of this fact was seen; one twin pairs off one."""
    if at - state.touched > _TWIN_MEMORY:
        state = EMPTY
    time = micros(candidate.event.time)
    versioned = candidate.event.flavour is Flavour.VERSIONED
    mine, theirs = (state.others, state.times) if versioned else (state.times, state.others)
    near = [other for other in theirs if abs(other - time) <= _TWIN_WINDOW]
    if near:
        twin = min(near, key=lambda other: (abs(other - time), other))
        index = theirs.index(twin)
        theirs = theirs[:index] + theirs[index + 1 :]
    else:
        mine = kept_latest(_inserted(mine, time), _MOST_FACTS)
    times, others = (theirs, mine) if versioned else (mine, theirs)
    return KeyState(touched=at, times=times, others=others), bool(near)


def _correlated(candidate: Candidate, state: KeyState, at: int) -> Step:
    match candidate.rule.correlation:
        case Without():
            return _start(candidate, state, at)
        case After():
            return _second(candidate, state, at)
        case Count(events, within):
            return _counted(candidate, state, at, events, micros(within))
        case Silence(before):
            return _after_silence(candidate, state, at, micros(before))
        case None:
            return _fire(candidate, state, at)


def _start(candidate: Candidate, state: KeyState, at: int) -> Step:
    correlation = candidate.rule.correlation
    assert isinstance(correlation, Without), "the caller looked"
    time = micros(candidate.event.time)
    last = time + micros(correlation.within + correlation.grace)
    if not candidate.rule.each_form and candidate.rule.knows_its_twins:
        near = [each.time for each in state.pending if each.id != candidate.event.id]
        if any(abs(other - time) <= _TWIN_WINDOW for other in (*near, *state.others)):
            return state, [_verdict(candidate, Outcome.TWIN)]
    if any(time <= end <= last for end in state.times):
        return state, [_verdict(candidate, Outcome.ENDED)]
    if len(state.pending) >= MOST_PENDING:
        return state, [_verdict(candidate, Outcome.CROWDED, f"{MOST_PENDING} wait")]
    # From its arrival: what comes late is followed late by its end, too.
    due = max(time, at) + micros(correlation.within + correlation.grace)
    pending = Pending(time, due, candidate.event.cloud, candidate.event.id)
    state = replace(state, pending=(*state.pending, pending))
    return state, [_verdict(candidate, Outcome.WAITING, f"until {moment_of(due):%H:%M:%S} UTC")]


def _second(candidate: Candidate, state: KeyState, at: int) -> Step:
    correlation = candidate.rule.correlation
    assert isinstance(correlation, After), "the caller looked"
    time = micros(candidate.event.time)
    first = time - micros(correlation.within)
    if any(first <= seen <= time for seen in state.times):
        return _fire(candidate, state, at)
    if len(state.pending) >= MOST_PENDING:
        return state, [_verdict(candidate, Outcome.CROWDED, f"{MOST_PENDING} wait")]
    due = at + micros(correlation.grace)
    pending = Pending(time, due, candidate.event.cloud, candidate.event.id)
    state = replace(state, pending=(*state.pending, pending))
    return state, [_verdict(candidate, Outcome.WAITING, "nothing came before it")]


def _noted(candidate: Candidate, state: KeyState, at: int) -> Step:
    """Take note of a partner: it ends starts, or lets a second fire that overtook it.

    An event that is both, as where A must be followed by another A, is none to itself.
    """
    rule = candidate.rule
    correlation = rule.correlation
    assert isinstance(correlation, Without | After), "others have no partner"
    time = micros(candidate.event.time)
    times = kept_latest(_inserted(state.times, time), MOST_PENDING)
    within = micros(correlation.within)
    own = (candidate.event.cloud, candidate.event.id)
    if isinstance(correlation, Without):
        within += micros(correlation.grace)
        left = tuple(
            each
            for each in state.pending
            if not each.time <= time <= each.time + within or each[2:] == own
        )
        ended = len(state.pending) - len(left)
        detail = f"ended {ended}" if ended else ""
        state = replace(state, times=times, pending=left)
        return state, [_verdict(candidate, Outcome.PARTNER, detail)]
    late = [
        each
        for each in state.pending
        if each.time - within <= time <= each.time and each[2:] != own
    ]
    left = tuple(each for each in state.pending if each not in late)
    state = replace(state, times=times, pending=left)
    told = [_verdict(candidate, Outcome.PARTNER)]
    for each in sorted(late):
        ref = EventRef(each.cloud, each.id)
        state, verdict = _limited(rule, candidate.key, state, ref, each.time, at)
        told.append(verdict)
    return state, told


def _counted(candidate: Candidate, state: KeyState, at: int, events: int, within: int) -> Step:
    time = micros(candidate.event.time)
    times = _inserted(state.times, time)
    times = tuple(each for each in times if each > times[-1] - within)
    if len(times) < events:
        detail = f"{len(times)} of {events}"
        return replace(state, times=times), [_verdict(candidate, Outcome.COUNTING, detail)]
    return _fire(candidate, replace(state, times=()), at)


def _after_silence(candidate: Candidate, state: KeyState, at: int, before: int) -> Step:
    time = micros(candidate.event.time)
    latest = state.times[-1] if state.times else None
    state = replace(state, times=(time if latest is None else max(time, latest),))
    if latest is not None and time - latest < before:
        detail = f"one came at {moment_of(latest):%H:%M:%S} UTC"
        return state, [_verdict(candidate, Outcome.NOT_SILENT, detail)]
    return _fire(candidate, state, at)


def _fire(candidate: Candidate, state: KeyState, at: int) -> Step:
    time = micros(candidate.event.time)
    state, verdict = _limited(candidate.rule, candidate.key, state, _ref(candidate), time, at)
    return state, [verdict]


def _limited(
    rule: Rule, key: str, state: KeyState, ref: EventRef, time: int, at: int
) -> tuple[KeyState, Verdict]:
    """Fire, unless the rule's limits say no at `at`; `time` is what the firing is dated."""
    held = _held_by(rule, state, at)
    if held is not None:
        return state, Verdict(rule.name, ref, held, moment_of(time), key)
    if rule.limited:
        most = rule.throttle.most if rule.throttle else 1
        state = replace(state, fired=(*state.fired, at)[-most:])
    outcome = Outcome.DRY_RUN if rule.dry_run else Outcome.FIRED
    return state, Verdict(rule.name, ref, outcome, moment_of(time), key)


def _held_by(rule: Rule, state: KeyState, at: int) -> Outcome | None:
    if rule.quiet and is_quiet(rule.quiet, moment_of(at)):
        return Outcome.QUIET
    if state.fired:
        last = state.fired[-1]
        if rule.once_per and at // micros(rule.once_per) == last // micros(rule.once_per):
            return Outcome.ONCE
        if rule.cooldown and at - last < micros(rule.cooldown):
            return Outcome.COOLDOWN
        if rule.throttle:
            since = at - micros(rule.throttle.within)
            if sum(moment > since for moment in state.fired) >= rule.throttle.most:
                return Outcome.THROTTLE
    return None


def _ref(candidate: Candidate) -> EventRef:
    return EventRef(candidate.event.cloud, candidate.event.id)


def _verdict(candidate: Candidate, outcome: Outcome, detail: str = "") -> Verdict:
    event = candidate.event
    return Verdict(candidate.rule.name, _ref(candidate), outcome, event.time, candidate.key, detail)


def _inserted(times: tuple[int, ...], time: int) -> tuple[int, ...]:
    changed = list(times)
    insort(changed, time)
    return tuple(changed)
