"""Rules at work: decisions in the transaction that puts the event on the timeline.

With the row of the event are committed what the rules remember and what they fired, or nothing of
all that. The order of things within a transaction is always the same: ids of events, states of
rules (sorted, in one statement), rows, firings; so no two wait for each other in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import Histogram

from services.processor.rules.deciding import decide, look_at
from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard
from services.processor.rules.model import TWIN_MEMORY, Rule
from services.processor.rules.state import (
    ALWAYS,
    EMPTY,
    KeyState,
    Running,
    StateKey,
    micros,
    moment_of,
)
from services.processor.rules.verdicts import EventRef, Outcome, Verdict
from shared.event import Event
from shared.firing import Firing
from shared.store.database import Connection
from shared.store.outbox import put
from shared.store.rule_history import RuleHistory
from shared.store.rules import RuleClock, RuleStates, StoredState

TICK = timedelta(seconds=1)
STOPPED = timedelta(seconds=5)
"""The clock that ends waits has stopped when it was not said to go on for so long."""


@dataclass(slots=True)
class Rulebook:
    """The rules in force; whoever reads the files replaces them."""

    rules: RuleSet
    guard: Guard


@dataclass(slots=True)
class Decision:
    """The decisions of one transaction; a new one for each try."""

    rules: RuleSet
    guard: Guard
    now: datetime
    seconds: Histogram
    """Where the time that it takes is noted."""
    verdicts: list[Verdict] = field(default_factory=list)
    """To be counted when the transaction is committed."""
    looks: int = 0
    """How often a rule looked at an event."""

    async def decide(self, connection: Connection, events: Sequence[Event]) -> datetime:
        """Decide about events, as `shared.store.timeline.Decide` says."""
        with self.seconds.time():
            return await self._decide(connection, events)

    async def _decide(self, connection: Connection, events: Sequence[Event]) -> datetime:
        looked = look_at(self.rules, self.guard, events)
        verdicts = looked.verdicts
        needed = looked.needed
        stored = await RuleStates.lock(connection, needed) if needed else []
        at = decision_time(self.now, stored)
        states = states_of(stored, self.rules)
        running = await _running(connection, states, at)
        for candidate in looked.candidates:
            verdicts += decide(candidate, states, at, running)
        if stored:
            await RuleStates.save(connection, saved(states, self.rules, at))
        at_hand = [candidate.event for candidate in looked.candidates]
        await fire(connection, self.rules, verdicts, at_hand, now=self.now)
        self.verdicts, self.looks = verdicts, looked.looks
        return moment_of(at)


def decision_time(now: datetime, stored: Iterable[StoredState]) -> int:
    """Return the decision clock: now, but later than the latest decision about any of `stored`.

    So it rises from decision to decision of a key, whatever the clocks of two machines say.
    """
    latest = [micros(each.decided_at) + 1 for each in stored if each.decided_at is not None]
    return max([micros(now), *latest])


def states_of(stored: Iterable[StoredState], rules: RuleSet) -> dict[StateKey, KeyState]:
    """Return what is remembered; nothing where the rule has another meaning by now."""
    states = {}
    for each in stored:
        rule = rules.by_name.get(each.rule)
        same = rule is not None and rule.digest == each.digest
        key = StateKey(each.rule, each.key)
        states[key] = KeyState.load(each.state) if same and each.state is not None else EMPTY
    return states


def saved(states: Mapping[StateKey, KeyState], rules: RuleSet, at: int) -> list[StoredState]:
    """Return states as they are stored after a decision at `at`."""
    return [
        StoredState(
            rule=key.rule,
            key=key.key,
            digest=rules.by_name[key.rule].digest,
            state=state.dump(),
            decided_at=moment_of(at),
            due_at=None if state.due is None else moment_of(state.due),
            forget_at=moment_of(state.touched) + _memory(rules.by_name[key.rule]),
        )
        for key, state in states.items()
    ]


def running_of(stretches: Iterable[tuple[datetime, datetime]]) -> Running:
    """Return when waits could end: for a while after each time that the clock was said to run."""
    return Running(tuple((micros(began), micros(ended + STOPPED)) for began, ended in stretches))


async def fire(
    connection: Connection,
    rules: RuleSet,
    verdicts: Iterable[Verdict],
    events: Iterable[Event],
    *,
    now: datetime,
) -> None:
    """Store the firings among the verdicts; events that are not at hand are read again."""
    fired = [verdict for verdict in verdicts if verdict.outcome is Outcome.FIRED]
    if not fired:
        return
    known = {EventRef(event.cloud, event.id): event for event in events}
    missing = sorted({verdict.event for verdict in fired} - set(known))
    if missing:
        read = await RuleHistory.events(connection, missing)
        known |= {EventRef(event.cloud, event.id): event for event in read}
    firings = [
        Firing(
            rule=verdict.rule,
            key=verdict.key,
            event=known[verdict.event],
            at=verdict.at,
            actions=rules.by_name[verdict.rule].actions,
        )
        for verdict in fired
        if verdict.event in known  # the retention has forgotten it meanwhile
    ]
    await put(connection, firings, now=now)


async def _running(connection: Connection, states: Mapping[StateKey, KeyState], at: int) -> Running:
    """Return when the clock ran, where that matters for a wait; most have none that is over."""
    if all(state.due is None or state.due > at for state in states.values()):
        return ALWAYS
    return running_of(await RuleClock.stretches(connection))


def _memory(rule: Rule) -> timedelta:
    return max(rule.memory, TWIN_MEMORY)
