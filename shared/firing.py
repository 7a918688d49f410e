"""A firing: a rule held for an event, and these actions are to run.

The processor's rules make firings (pure), the store keeps them in the transaction that puts the
event on the timeline, and the processor's actions run them, each under an idempotency key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from shared.event import Event

_NAMESPACE = UUID("6f8a3d0e-3a55-4f0c-9d4e-6f1e0f3b7c21")


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action as a rule asks for it: the kind, and what that kind needs to know."""

    kind: str
    """`webhook`, `publish`, `refresh`, `note`, `log`, `python`, or one that a package brings."""
    settings: Mapping[str, Any]
    """As in the rule file, checked by the kind; secrets only by reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One rule fired for one event."""

    rule: str
    key: str
    """What throttles and correlations of the rule count by; empty where it has none."""
    event: Event
    """The event that made it fire; for an absence (a start without its end) the one waited on."""
    at: datetime
    """When the rule decided, in the time of the events; UTC."""
    actions: tuple[ActionSpec, ...]

    @property
    def id(self) -> UUID:
        """The same whenever the same rule fires for the same event, so that it is stored once."""
        return uuid5(_NAMESPACE, f"{self.rule}\x1f{self.event.cloud}\x1f{self.event.id}")

    def idempotency_key(self, position: int) -> str:
        """Return the key under which its action number `position` runs, however often tried."""
        return f"{self.id}-{position}"
