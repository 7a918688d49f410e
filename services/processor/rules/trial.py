"""What rules would have done: the same decisions, over events that are there, without effects."""

from collections.abc import Iterable

from services.processor.rules.deciding import decide, elapse, look_at
from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard
from services.processor.rules.model import TWIN_MEMORY
from services.processor.rules.state import ALWAYS, KeyState, Running, StateKey, micros
from services.processor.rules.verdicts import Verdict
from shared.event import Event

_SWEEP = 100_000
"""States kept before those are looked for that make no difference any more."""


class Trial:
    """One run of rules through a history; hand over everything that was decided together at once.

    Memory is bounded by the keys within the rules' windows, not by the length of the history.
    """

    def __init__(self, rules: RuleSet, guard: Guard, running: Running = ALWAYS) -> None:
        self._rules = rules
        self._guard = guard
        self._running = running
        self._states: dict[StateKey, KeyState] = {}
        self._sweep_at = _SWEEP
        self._memory = micros(max(rules.memory, TWIN_MEMORY))

    def events(self, events: Iterable[Event], at: int) -> list[Verdict]:
        """Return what the rules say of events that were decided about at `at`."""
        looked = look_at(self._rules, self._guard, events)
        verdicts = looked.verdicts
        for candidate in looked.candidates:
            verdicts += decide(candidate, self._states, at, self._running)
        if len(self._states) > self._sweep_at:
            self._sweep(at)
        return verdicts

    def end(self, at: int) -> list[Verdict]:
        """Return what waiting comes to until `at`."""
        verdicts: list[Verdict] = []
        for key, state in sorted(self._states.items(), key=lambda item: item[0]):
            if state.pending:
                rule = self._rules.by_name[key.rule]
                self._states[key], told = elapse(rule, key.key, state, at, self._running)
                verdicts += told
        return verdicts

    def _sweep(self, at: int) -> None:
        self._states = {
            key: state
            for key, state in self._states.items()
            if state.pending or at - state.touched <= self._memory
        }
        self._sweep_at = max(_SWEEP, 2 * len(self._states))
