"""What the refresher counts (docs/reference/metrics.md has the list for all services)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.refresher.cloud_metrics import CallMetrics, HiddenMetrics
from shared.runtime.heartbeat_metrics import HeartbeatMetrics
from shared.store.inventory import WriteResult
from shared.store.targets import Waiting

_FIELDS_MOST = 50
"""Of one kind, as a label: an API has no more, but what a user's own kind has nobody knows."""


class RefresherMetrics:
    """The refresher's figures, by what they tell of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.unasked = UnaskedMetrics(registry)
        self.targets = TargetMetrics(registry)
        self.calls = CallMetrics(registry)
        self.hidden = HiddenMetrics(registry)
        self.inventory = InventoryMetrics(registry)
        self.passes = PassMetrics(registry)
        self.heartbeats = HeartbeatMetrics(registry, "refresher")

    def forget_client(self, cloud: str) -> None:
        """Show nothing more of a cloud's client; the next one counts from nothing."""
        self.calls.forget(cloud)
        self.hidden.show(cloud, {}, narrow=(), cut_off=())


class UnaskedMetrics:
    """Events that ask for nothing, by why."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.foreign = Counter(
            "osevents_refresher_foreign_events",
            "Events of clouds that are not configured here.",
            ("cloud",),
            registry=registry,
        )
        self.synthetic = Counter(
            "osevents_refresher_synthetic_events",
            "Synthetic events, which ask for nothing.",
            ("cloud",),
            registry=registry,
        )
        self.history = Counter(
            "osevents_refresher_history_events",
            "Events of loaded history, which ask for nothing.",
            ("cloud",),
            registry=registry,
        )


class TargetMetrics:
    """Targets: asked for, read, answered, given up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"osevents_{name}", text, ("cloud", "kind", *labels), registry=registry)

        self.asked = counter("targets_asked", "Targets that events asked for.")
        self.others = counter(
            "targets_of_other_projects",
            "Targets left out: of another project (or user), and not shown to us.",
        )
        self.reads = counter("reads", "Reads made for targets.", "form")
        self.settled = counter("targets_settled", "Targets answered by a read.")
        self.failed = counter("targets_failed", "Failed tries of targets.")
        self.postponed = counter(
            "targets_postponed",
            "Targets given back without a try: what they ask for is left alone, or down.",
        )
        self.dead = counter("targets_dead", "Targets given up as dead letters.")
        self.unreadable = counter(
            "targets_unreadable", "Targets that no API of the cloud can answer."
        )
        self.waiting = Gauge(
            "osevents_targets_waiting", "Unanswered targets.", ("cloud", "kind"), registry=registry
        )
        self.oldest = Gauge(
            "osevents_targets_oldest_seconds",
            "Age of the oldest unanswered target.",
            ("cloud", "kind"),
            registry=registry,
        )
        self.lag = Histogram(
            "osevents_inventory_lag_seconds",
            "From the first event that asked for an object to its committed row.",
            ("cloud",),
            buckets=(0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )

    def queue(self, waiting: Sequence[Waiting], *, now: datetime) -> None:
        """Show what waits; all copies show the same queue."""
        self.waiting.clear()
        self.oldest.clear()
        for item in waiting:
            self.waiting.labels(item.cloud, item.kind).set(item.count)
            age = max(0.0, (now - item.oldest).total_seconds())
            self.oldest.labels(item.cloud, item.kind).set(age)


class InventoryMetrics:
    """Rows of the inventory, whatever wrote them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.told = Counter(
            "osevents_objects_told",
            "Objects taken from notifications without a read.",
            ("cloud", "kind"),
            registry=registry,
        )
        self.rows = Counter(
            "osevents_inventory_rows",
            "Objects written, by what they were.",
            ("cloud", "kind", "outcome"),
            registry=registry,
        )
        self.stale = Counter(
            "osevents_inventory_stale_writes",
            "Writes refused for being older.",
            ("cloud", "kind"),
            registry=registry,
        )
        self.tombstones = Counter(
            "osevents_inventory_tombstones",
            "Objects found deleted, by how.",
            ("cloud", "kind", "cause"),
            registry=registry,
        )

    def written(self, cloud: str, kind: str, result: WriteResult) -> None:
        """Count one committed write of objects of one kind."""
        for outcome in ("created", "updated", "unchanged"):
            self.rows.labels(cloud, kind, outcome).inc(getattr(result, outcome))
        self.stale.labels(cloud, kind).inc(result.stale)


class PassMetrics:
    """Full passes, and what they had to correct."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "osevents_full_passes",
            "Full passes ended.",
            ("cloud", "kind", "state"),
            registry=registry,
        )
        self.listed = Counter(
            "osevents_full_pass_objects",
            "Objects that full passes listed.",
            ("cloud", "kind"),
            registry=registry,
        )
        self.drift = Counter(
            "osevents_drift",
            "What full passes had to correct, after the first.",
            ("cloud", "kind", "what", "field"),
            registry=registry,
        )
        self._fields: defaultdict[str, set[str]] = defaultdict(set)

    def drifted(self, cloud: str, kind: str, what: str, field: str = "", count: int = 1) -> None:
        """Count corrections; the fields of a kind beyond the first few count as `other`.

        `what` is created, changed or vanished; only changed has a `field`.
        """
        fields = self._fields[kind]
        if field and field not in fields and len(fields) >= _FIELDS_MOST:
            field = "other"
        fields.add(field)
        self.drift.labels(cloud, kind, what, field).inc(count)
