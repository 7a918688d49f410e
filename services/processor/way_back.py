"""Where a dead letter goes when it is sent back: to where it died; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.processor.actions.letters import ORIGIN, firing_of
from shared.codec import BATCH, SINGLE, decode
from shared.dead_letter import DeadLetter
from shared.errors import Permanent
from shared.event import Event
from shared.firing import Firing
from shared.target import BY_ID, Target

CATCHER, BUS = "catcher", "bus"

Reread = Callable[[DeadLetter], Sequence[Event]]
"""Returns the events of a message that a catcher could not read when it came; raises Permanent when
it still cannot be read."""

_TARGET = frozenset({"cloud", "kind", "by", "key", "cause", "why"})
_OBJECT = frozenset({"cloud", "kind", "id", "object"})


@dataclass(frozen=True, slots=True)
class ToConsumers:
    """Events for one group of consumers, or for all of them."""

    group: str | None
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class ToRefresher:
    """A target that is asked for again."""

    target: Target


@dataclass(frozen=True, slots=True)
class ToOutbox:
    """An action that is due again, under its old idempotency key."""

    firing: Firing
    position: int


Way = ToConsumers | ToRefresher | ToOutbox


def way_back(letter: DeadLetter, reread: Reread) -> Way:
    """Return what to do with a letter that somebody wants back; raises Permanent with the reason.

    What died in one group of consumers goes to that group only. What no catcher or no consumer
    could read is read again: a newer version may be able to.
    """
    if letter.origin == ORIGIN:
        return ToOutbox(*firing_of(letter.body))
    if letter.origin == CATCHER:
        return ToConsumers(None, reread(letter))
    if target := _target_in(letter.body):
        return ToRefresher(target)
    content_type = BATCH if letter.body.lstrip()[:1] == b"[" else SINGLE
    events = decode(letter.body, content_type)
    return ToConsumers(None if letter.origin == BUS else letter.origin, events)


def _target_in(body: bytes) -> Target | None:
    """Return the target, or that of the object, which the refresher gave up; None for others."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Permanent(f"the message is not JSON: {error}") from error
    if not isinstance(told, dict):
        return None
    if told.keys() == _TARGET:
        return Target(**told)
    if told.keys() == _OBJECT:
        why = "could not be stored"
        return Target(told["cloud"], told["kind"], BY_ID, told["id"], "dead letter", why)
    return None
