"""One try of one action: whatever a kind does, it ends with an outcome."""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from services.processor.actions.checking import LONGEST_DEADLINE
from services.processor.actions.port import ActionCall, Done, Never, Outcome, Run, TryAgain
from shared.errors import Permanent, Transient
from shared.openstack.replies import one_line
from shared.runtime.durations import format_duration
from shared.secret import mask_all
from shared.store.dead_letters import storable
from shared.store.outbox import ClaimedAction
from shared.waiting import CancelledElsewhere, within

BACKSTOP = LONGEST_DEADLINE + timedelta(seconds=30)
"""Kinds have deadlines of their own; this ends what a package's kind forgot."""

log = structlog.get_logger(__name__)


async def attempt(claimed: ClaimedAction, runs: Mapping[str, Run]) -> Outcome:
    """Run a claimed action once; only a cancel of ours passes.

    In a task of its own: what a kind or a function does to its task (cancel it, or lose a cancel
    in it) must not end ours, which nobody would notice, and the action would be run for ever.
    """
    run = runs.get(claimed.spec.kind)
    if run is None:
        # Another copy may have the package, or this one after it is installed.
        return TryAgain(f"there is no kind {claimed.spec.kind!r} here; is its package installed?")
    try:
        return await within(_once(claimed, run), BACKSTOP.total_seconds())
    except TimeoutError:
        return TryAgain(f"it did not end within {format_duration(BACKSTOP)}")
    except CancelledElsewhere:
        return TryAgain("it ended as if it had been cancelled, which nobody did")


async def _once(claimed: ClaimedAction, run: Run) -> Outcome:
    try:
        firing = claimed.firing()
        call = ActionCall(
            firing=firing,
            settings=claimed.spec.settings,
            idempotency_key=firing.idempotency_key(claimed.position),
            attempt=claimed.tries + 1,
        )
        return _checked(await run(call))
    except Permanent as error:
        return Never(_told(error))
    except Transient as error:
        return TryAgain(_told(error))
    except (Exception, SystemExit) as error:  # a package's kind may raise anything
        log.exception("action_raised", kind=claimed.spec.kind, rule=claimed.rule)
        return TryAgain(_told(error, f"{type(error).__name__}: "))


def _checked(outcome: object) -> Outcome:
    """Return an outcome whose text can be stored; what is none counts as failed."""
    match outcome:
        case Done(detail):
            return Done(_told(detail))
        case TryAgain(reason, (int() | float() | None) as after_seconds):
            return TryAgain(_told(reason), after_seconds)
        case Never(reason):
            return Never(_told(reason))
        case _:
            return TryAgain(_told(f"the kind returned {outcome!r}, which is no outcome"))


def unusable(reason: str) -> Run:
    """Return what stands in for a kind that cannot be opened here."""

    async def run(_: ActionCall) -> Outcome:
        return TryAgain(_told(reason))

    return run


def _told(error: object, before: str = "") -> str:
    return one_line(mask_all(storable(f"{before}{error}")))
