"""Builders of firings: a rule, an event, and actions that log unless told otherwise."""

from collections.abc import Mapping
from typing import Any

from shared.event import Event
from shared.firing import ActionSpec, Firing
from tests.support.events import NOON, event


def firing(*actions: ActionSpec, rule: str = "servers off", about: Event | None = None) -> Firing:
    """Make a firing; without actions it has one, that logs."""
    return Firing(
        rule=rule,
        key="",
        event=about or event(),
        at=NOON,
        actions=actions or (ActionSpec("log", {}),),
    )


def webhook(url: str, **settings: Any) -> ActionSpec:
    """Make a webhook action to a receiver on this machine."""
    return ActionSpec("webhook", {"url": url, "allow_private": True, **settings})


def spec(kind: str, settings: Mapping[str, Any] | None = None) -> ActionSpec:
    """Make an action of any kind."""
    return ActionSpec(kind, settings or {})
