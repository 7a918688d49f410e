"""What the processor counts (docs/reference/metrics.md has the list for all services)."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.event import Event
from shared.runtime.heartbeat_metrics import HeartbeatMetrics


class ProcessorMetrics:
    """The processor's figures, by what they tell of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.timeline = TimelineMetrics(registry)
        self.letters = LetterMetrics(registry)
        self.retention = RetentionMetrics(registry)
        self.heartbeats = HeartbeatMetrics(registry, "processor")


class TimelineMetrics:
    """Rows of the timeline."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = Counter(
            "osevents_timeline_rows",
            "Events written to the timeline.",
            registry=registry,
        )
        self.duplicates = Counter(
            "osevents_timeline_duplicates",
            "Events that were delivered again and were on the timeline already.",
            registry=registry,
        )
        self.lag = Histogram(
            "osevents_timeline_lag_seconds",
            "From the event's own time to its committed timeline row.",
            ("cloud",),
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )

    def written(self, events: Sequence[Event], new: int, now: datetime) -> None:
        """Count one committed batch, of which `new` rows were not there before."""
        self.rows.inc(new)
        self.duplicates.inc(len(events) - new)
        for event in events:
            self.lag.labels(event.cloud).observe(max(0.0, (now - event.time).total_seconds()))


class LetterMetrics:
    """Dead letters, and their way back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.kept = Counter(
            "osevents_dead_letters",
            "Messages kept as dead letters, by who gave up on them.",
            ("origin",),
            registry=registry,
        )
        self.returned = Counter(
            "osevents_dead_letters_returned",
            "Dead letters asked for again, by what came of it: returned, died_again.",
            ("origin", "outcome"),
            registry=registry,
        )


class RetentionMetrics:
    """What is stored, and what is forgotten because of its age or size."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.stored_bytes = Gauge(
            "osevents_timeline_bytes",
            "What the timeline's weeks take on disk, indexes included; looked at every hour.",
            registry=registry,
        )
        self.dropped_weeks = Counter(
            "osevents_timeline_dropped_weeks",
            "Weeks of the timeline that were dropped, by why: age or size.",
            ("why",),
            registry=registry,
        )
        self.forgotten_rows = Counter(
            "osevents_timeline_forgotten_rows",
            "Events deleted because those of their category are kept for less long.",
            ("category",),
            registry=registry,
        )
        self.forgotten_changes = Counter(
            "osevents_inventory_forgotten_rows",
            "Changes and tombstones of the inventory deleted because they are too old.",
            registry=registry,
        )
