"""An action that was given up, as a dead letter, and back; pure.

The letter holds everything that the action needs to run again under the same idempotency key, also
when the outbox has forgotten it.
"""

from datetime import datetime
from typing import Any

import orjson

from shared.codec import SINGLE, decode
from shared.dead_letter import DeadLetter
from shared.errors import Permanent
from shared.firing import ActionSpec, Firing
from shared.store.outbox import ClaimedAction

ORIGIN = "action"


def letter_of(claimed: ClaimedAction, cloud: str | None, reason: str, now: datetime) -> DeadLetter:
    """Return the dead letter of an action; its body is the same at every death."""
    body = {
        "kind": claimed.spec.kind,
        "settings": claimed.spec.settings,
        "rule": claimed.rule,
        "key": claimed.key,
        "at": claimed.at.isoformat(),
        "position": claimed.position,
        "event": orjson.Fragment(claimed.event),
    }
    told = f"{claimed.spec.kind} of rule {claimed.rule!r}: {reason}"
    return DeadLetter(
        ORIGIN,
        told,
        cloud,
        orjson.dumps(body),
        now,
        first_at=claimed.since,
        tries=claimed.tries + 1,
    )


def firing_of(body: bytes) -> tuple[Firing, int]:
    """Return the firing in a letter, with the one action, and that action's position.

    Raises Permanent (or UnreadableEvent, which is one) when the body is no such letter's.
    """
    try:
        told: dict[str, Any] = orjson.loads(body)
        [event] = decode(orjson.dumps(told["event"]), SINGLE)
        firing = Firing(
            rule=told["rule"],
            key=told["key"],
            event=event,
            at=datetime.fromisoformat(told["at"]),
            actions=(ActionSpec(told["kind"], told["settings"]),),
        )
        return firing, int(told["position"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Permanent(f"this is no action: {error!r}") from error
