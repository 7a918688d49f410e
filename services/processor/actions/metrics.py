"""What the actions count (docs/reference/metrics.md has the list for all services)."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.store.outbox import WaitingActions


class ActionMetrics:
    """The figures of the outbox's worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tries = Counter(
            "osevents_action_tries",
            "Tries of actions, by what came of them: done, failed, dead.",
            ("kind", "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "osevents_action_seconds",
            "How long one try takes.",
            ("kind",),
            buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 300),
            registry=registry,
        )
        self.lag = Histogram(
            "osevents_action_lag_seconds",
            "From a stored firing to its action being done.",
            ("kind",),
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 14400, 86400),
            registry=registry,
        )
        self.lost_leases = Counter(
            "osevents_action_leases_lost",
            "Claims that another copy took over while we still worked on them.",
            registry=registry,
        )
        self.waiting = Gauge(
            "osevents_actions_waiting",
            "Actions that are neither done nor dead.",
            ("receiver",),
            registry=registry,
        )
        self.oldest = Gauge(
            "osevents_actions_oldest_seconds",
            "For how long the oldest waiting action has been tried.",
            ("receiver",),
            registry=registry,
        )

    def queue(self, waiting: Sequence[WaitingActions], *, now: datetime) -> None:
        """Show what waits; all copies show the same outbox."""
        self.waiting.clear()
        self.oldest.clear()
        for item in waiting:
            self.waiting.labels(item.receiver).set(item.count)
            age = max(0.0, (now - item.oldest).total_seconds())
            self.oldest.labels(item.receiver).set(age)
