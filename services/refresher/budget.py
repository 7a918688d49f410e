"""How the APIs of a cloud are asked at this moment, for metrics, `osevents status` and its like."""

from collections.abc import Collection, Mapping
from typing import Any

from services.refresher.permits import Denial
from shared.openstack.sending import Budget

HEARTBEAT = "refresher:api"
"""The name under which each copy reports it, for each cloud."""


def figures(
    budgets: Mapping[str, Budget], denials: Mapping[str, Denial], narrow: Collection[str] = ()
) -> dict[str, Any]:
    """Return what one copy knows, as JSON: by service how it is asked, by kind what is denied.

    `left_alone` is null, or says since when, why, and when the next look is due; times are ISO.
    `own_project_only` has the kinds of which nothing of other projects is shown.
    """
    return {
        "services": {
            name: {
                "calls": budget.calls,
                "under_way": budget.under_way,
                "waiting": budget.waiting,
                "left_alone": budget.opened
                and {
                    "since": budget.opened.since.isoformat(),
                    "reason": budget.opened.reason,
                    "look_at": budget.opened.look_at.isoformat(),
                },
            }
            for name, budget in budgets.items()
        },
        "not_permitted": {
            # A kind is a `Kind`, and JSON's keys have to be plain texts.
            str(kind): {
                "since": denial.since.isoformat(),
                "until": denial.until.isoformat(),
                "reason": denial.reason,
            }
            for kind, denial in denials.items()
        },
        "own_project_only": sorted(map(str, narrow)),
    }
