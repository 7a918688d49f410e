"""What a kind of action is: its settings checked before a rule is trusted, its runs under a key.

The kinds of osevents stand in this package, one file each (`services.processor.actions.kinds`
lists them); an installed package adds its own as entry points of the group `osevents.actions`,
each naming an `ActionKind`.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from shared.clock import Clock
from shared.errors import Problem
from shared.firing import Firing
from shared.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """One try of one action."""

    firing: Firing
    """The rule, its key, the event and when it fired; `actions` holds this action alone."""
    settings: Mapping[str, Any]
    """As in the rule file when the rule fired, checked by the kind then."""
    idempotency_key: str
    """The same at every try of this action, and of no other: receivers drop doubles by it."""
    attempt: int
    """1 at the first try."""


@dataclass(frozen=True, slots=True)
class Done:
    """The action has had its effect."""

    detail: str
    """A few words for the timeline: `HTTP 204`."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It failed, and may work later."""

    reason: str
    """One line for people, without secrets."""
    after_seconds: float | None = None
    """For how long the receiver asks to be left alone; None when it does not say."""


@dataclass(frozen=True, slots=True)
class Never:
    """It failed and trying again cannot help; it becomes a dead letter at once."""

    reason: str
    """One line for people, without secrets."""


Outcome = Done | TryAgain | Never

Run = Callable[[ActionCall], Awaitable[Outcome]]
"""Runs one try, within a deadline of its own. What it raises counts as TryAgain, except
`shared.errors.Permanent`, which counts as Never. It may be cancelled when the processor stops or
has lost the claim, and is then called again with the same idempotency key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a kind may need to run."""

    database: Database
    clock: Clock
    bus_url: str | None
    """The RabbitMQ of osevents; None where the bus is within the process."""
    allow_networks: tuple[str, ...] = ()
    """Private networks (`10.0.0.0/8`) that webhooks may reach without `allow_private`."""


class ActionKind(Protocol):
    """One kind of action; a value without state, so that checking needs no connection."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """Return everything that is wrong with `settings`, each problem at its place.

        `place` names the action (`rules/a.yaml:12 actions[0]`); the name of a setting is added to
        it. Connects to nothing.
        """
        ...

    def open(self, tools: Tools) -> AbstractAsyncContextManager[Run]:
        """Open what runs need (connections, threads) until the context is left."""
        ...
