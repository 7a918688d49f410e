"""What follows from one try: it is on the timeline, and the action done, due again, or dead.

The timeline comes first: a crash in between repeats the try, and the one that was made shows.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

import structlog

from services.processor.actions.history import DEAD, DONE, FAILED, event_about
from services.processor.actions.letters import letter_of
from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import Done, Never, Outcome, TryAgain
from services.processor.actions.schedule import Patience
from shared.clock import Clock
from shared.errors import UnreadableEvent, Unstorable
from shared.event import Level
from shared.firing import Firing
from shared.store.outbox import ClaimedAction, Outbox
from shared.store.timeline import Timeline

SHOW_THEMSELVES = frozenset({"note"})
"""Kinds whose effect stands on the timeline anyway."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles tries; raises StoreUnavailable, and may be called again with the same."""

    outbox: Outbox
    timeline: Timeline
    patience: Patience
    clock: Clock
    random: Random
    metrics: ActionMetrics

    async def settle(self, claimed: ClaimedAction, outcome: Outcome) -> None:
        """Commit what follows from the outcome of one try."""
        now = self.clock.now()
        match outcome:
            case Done(detail):
                if claimed.spec.kind not in SHOW_THEMSELVES:
                    await self._tell(claimed, DONE, Level.DETAIL, {"message": detail})
                await self.outbox.done(claimed, detail, now=now)
                lag = (now - claimed.stored_at).total_seconds()
                self.metrics.lag.labels(claimed.spec.kind).observe(max(0.0, lag))
                self.metrics.tries.labels(claimed.spec.kind, "done").inc()
            case TryAgain(reason, after_seconds):
                due_at = self.patience.next_try(
                    tries=claimed.tries + 1,
                    since=claimed.since,
                    now=now,
                    after_seconds=after_seconds,
                    random=self.random,
                )
                if due_at is None:
                    await self._bury(claimed, reason)
                    return
                told = {"message": reason, "next_try": due_at.isoformat()}
                await self._tell(claimed, FAILED, Level.DETAIL, told)
                await self.outbox.retry(claimed, reason, due_at=due_at)
                self.metrics.tries.labels(claimed.spec.kind, "failed").inc()
            case Never(reason):
                await self._bury(claimed, reason)

    async def _bury(self, claimed: ClaimedAction, reason: str) -> None:
        now = self.clock.now()
        await self._tell(claimed, DEAD, Level.WARNING, {"message": reason})
        firing = _firing(claimed)
        cloud = firing.event.cloud if firing else None
        letter = letter_of(claimed, cloud, reason, now)
        await self.outbox.give_up(claimed, reason, letter, now=now)
        self.metrics.tries.labels(claimed.spec.kind, "dead").inc()
        log.error(
            "action_dead",
            kind=claimed.spec.kind,
            rule=claimed.rule,
            tries=claimed.tries + 1,
            reason=reason,
        )

    async def _tell(
        self, claimed: ClaimedAction, type_: str, level: Level, what: dict[str, Any]
    ) -> None:
        """Put a try on the timeline; an event that cannot be read any more has no place there."""
        firing = _firing(claimed)
        if firing is None:
            return
        now = self.clock.now()
        event = event_about(
            firing,
            type_,
            identity=str(claimed.claim),  # each try has a claim of its own
            level=level,
            now=now,
            payload={
                "kind": claimed.spec.kind,
                "receiver": claimed.receiver,
                "idempotency_key": firing.idempotency_key(claimed.position),
                "try": claimed.tries + 1,
                **what,
            },
        )
        try:
            await self.timeline.append([event], recorded_at=now)
        except Unstorable as error:
            # The action itself must not hang on that.
            log.warning("try_not_on_timeline", rule=claimed.rule, reason=str(error))


def _firing(claimed: ClaimedAction) -> Firing | None:
    try:
        return claimed.firing()
    except UnreadableEvent as error:
        log.warning("firing_unreadable", rule=claimed.rule, reason=str(error))
        return None
