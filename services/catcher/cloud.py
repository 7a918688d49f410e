"""A cloud as the catcher watches it: by which ways its notifications could be read."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.catcher.choosing import Answer
from services.catcher.filters import PASS_ALL, TypeFilter
from services.catcher.plans import Plan

Ask = Callable[[], Coroutine[Any, Any, Answer]]
"""Asks a source whether it could be read now; never raises, and ends within its deadline."""

Fill = Callable[[datetime], Plan]
"""Returns a plan that reads what came since a moment, and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to a cloud's notifications."""

    name: str
    """amqp, panko, ceilometer or webhook."""
    plans: tuple[Plan, ...]
    """All of them are read when it is chosen: each broker, say."""
    ask: Ask
    fill: Fill | None = None
    """Reads what the chosen source missed; None: this one cannot, or need not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedCloud:
    """What the operator says of a cloud, ready for the catcher."""

    name: str
    candidates: tuple[Candidate, ...]
    """The preferred first; a single one when the operator named the source."""
    wanted: TypeFilter
    made_from: object = field(default=None)
    """The settings behind it: what tells whether a reload changed this cloud."""

    @classmethod
    def reading(
        cls,
        name: str,
        source: str,
        *plans: Plan,
        wanted: TypeFilter = PASS_ALL,
        made_from: object = None,
    ) -> "WatchedCloud":
        """Return a cloud with one source, that the operator named."""

        async def ask() -> Answer:
            return Answer(works=True, why="the only one that is configured")

        return cls(
            name=name,
            candidates=(Candidate(name=source, plans=plans, ask=ask),),
            wanted=wanted,
            made_from=made_from,
        )
