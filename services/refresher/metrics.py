"""What the refresher counts (docs/reference/metrics.md has the list for all services)."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.refresher.permits import Denial
from shared.event import Event
from shared.openstack.client import Budget
from shared.store.inventory import WriteResult
from shared.store.targets import Waiting

_FIELDS_MOST = 50
"""Of one kind, as a label: an API has no more, but what a user's own kind has nobody knows."""


class RefresherMetrics:
    """The refresher's figures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"osevents_{name}", text, labels, registry=registry)

        self.foreign_events = counter(
            "refresher_foreign_events", "Events of clouds that are not configured here.", "cloud"
        )
        self.synthetic_events = counter(
            "refresher_synthetic_events", "Synthetic events, which ask for nothing.", "cloud"
        )
        self.history_events = counter(
            "refresher_history_events", "Events of loaded history, which ask for nothing.", "cloud"
        )
        self.asked = counter("targets_asked", "Targets that events asked for.", "cloud", "kind")
        self.told = counter(
            "objects_told", "Objects taken from notifications without a read.", "cloud", "kind"
        )
        self.settled = counter("targets_settled", "Targets answered by a read.", "cloud", "kind")
        self.failed = counter("targets_failed", "Failed tries of targets.", "cloud", "kind")
        self.postponed = counter(
            "targets_postponed",
            "Targets given back unasked: their service or kind is left alone.",
            "cloud",
            "kind",
        )
        self.dead = counter("targets_dead", "Targets given up as dead letters.", "cloud", "kind")
        self.unreadable = counter(
            "targets_unreadable", "Targets that no API of the cloud can answer.", "cloud", "kind"
        )
        self.reads = counter("reads", "Reads made for targets.", "cloud", "kind", "form")
        self.calls = counter("api_calls", "API requests, retries too.", "cloud", "service")
        self.tokens = counter("tokens", "Logins at Keystone.", "cloud")
        self.rows = counter(
            "inventory_rows", "Objects written, by what they were.", "cloud", "kind", "outcome"
        )
        self.stale = counter(
            "inventory_stale_writes", "Writes refused for being older.", "cloud", "kind"
        )
        self.tombstones = counter(
            "inventory_tombstones", "Objects found deleted, by how.", "cloud", "kind", "cause"
        )
        self.drift = counter(
            "drift",
            "What full passes had to correct, after the first.",
            "cloud",
            "kind",
            "what",
            "field",
        )
        self.listed = counter(
            "full_pass_objects", "Objects that full passes listed.", "cloud", "kind"
        )
        self.passes = counter("full_passes", "Full passes ended.", "cloud", "kind", "state")
        self.under_way = Gauge(
            "osevents_api_calls_under_way",
            "API calls at this moment.",
            ("cloud", "service"),
            registry=registry,
        )
        self.held = Gauge(
            "osevents_api_calls_waiting",
            "API calls that wait for their budget.",
            ("cloud", "service"),
            registry=registry,
        )
        self.left_alone = Gauge(
            "osevents_api_left_alone",
            "1 while a service is not asked because it kept failing.",
            ("cloud", "service"),
            registry=registry,
        )
        self.not_permitted = Gauge(
            "osevents_kind_not_permitted",
            "1 for kinds that our credentials may not read.",
            ("cloud", "kind"),
            registry=registry,
        )
        self.own_project_only = Gauge(
            "osevents_own_project_only",
            "Kinds of which the cloud shows us our own project alone (1).",
            ["cloud", "kind"],
            registry=registry,
        )
        self.list_cut_off = Gauge(
            "osevents_list_cut_off",
            "Kinds whose list the service gives only in part (1).",
            ["cloud", "kind"],
            registry=registry,
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
        self.heartbeat_at = Gauge(
            "osevents_refresher_heartbeat_timestamp_seconds",
            "When the newest heartbeat that has come through was sent.",
            ("cloud",),
            registry=registry,
        )
        self.heartbeat_lag = Gauge(
            "osevents_refresher_heartbeat_lag_seconds",
            "How long the newest heartbeat took, with everything before it committed.",
            ("cloud",),
            registry=registry,
        )
        self._shown: defaultdict[str, set[str]] = defaultdict(set)
        self._denied: defaultdict[str, set[str]] = defaultdict(set)
        self._narrow: defaultdict[str, set[str]] = defaultdict(set)
        self._cut_off: defaultdict[str, set[str]] = defaultdict(set)
        self._counted: Tally[tuple[str, str]] = Tally()
        self._fields: defaultdict[str, set[str]] = defaultdict(set)

    def heartbeat(self, event: Event, now: datetime) -> None:
        """Note a heartbeat that has come through."""
        self.heartbeat_at.labels(event.cloud).set(event.time.timestamp())
        self.heartbeat_lag.labels(event.cloud).set(max(0.0, (now - event.time).total_seconds()))

    def written(self, cloud: str, kind: str, result: WriteResult) -> None:
        """Count one committed write of objects of one kind."""
        for outcome in ("created", "updated", "unchanged"):
            self.rows.labels(cloud, kind, outcome).inc(getattr(result, outcome))
        self.stale.labels(cloud, kind).inc(result.stale)

    def drifted(self, cloud: str, kind: str, what: str, field: str = "", count: int = 1) -> None:
        """Count corrections; the fields of a kind beyond the first few count as `other`.

        `what` is created, changed or vanished; only changed has a `field`.
        """
        fields = self._fields[kind]
        if field and field not in fields and len(fields) >= _FIELDS_MOST:
            field = "other"
        fields.add(field)
        self.drift.labels(cloud, kind, what, field).inc(count)

    def budget(
        self, cloud: str, budgets: Mapping[str, Budget], denials: Mapping[str, Denial]
    ) -> None:
        """Show how a cloud's services are asked now, and which kinds may not be read."""
        for service in self._shown[cloud] - budgets.keys():
            for gauge in (self.under_way, self.held, self.left_alone):
                gauge.remove(cloud, service)
        self._shown[cloud] = set(budgets)
        for service, budget in budgets.items():
            self.under_way.labels(cloud, service).set(budget.under_way)
            self.held.labels(cloud, service).set(budget.waiting)
            self.left_alone.labels(cloud, service).set(budget.opened is not None)
        for kind in self._denied[cloud] - denials.keys():
            self.not_permitted.remove(cloud, kind)
        self._denied[cloud] = set(denials)
        for kind in denials:
            self.not_permitted.labels(cloud, kind).set(1)

    def asked_of(self, cloud: str, calls: Mapping[str, int], tokens: int) -> None:
        """Take over the totals that a cloud's client counted since it was opened."""
        for service, total in calls.items():
            self.calls.labels(cloud, service).inc(total - self._counted[cloud, service])
            self._counted[cloud, service] = total
        self.tokens.labels(cloud).inc(tokens - self._counted[cloud, ""])
        self._counted[cloud, ""] = tokens

    def forget_client(self, cloud: str) -> None:
        """Take the next totals of a cloud as those of another client, which counts from nothing."""
        for key in [key for key in self._counted if key[0] == cloud]:
            del self._counted[key]
        self.budget(cloud, {}, {})
        self.partial_lists(cloud, (), ())

    def partial_lists(self, cloud: str, narrow: Collection[str], cut_off: Collection[str]) -> None:
        """Show the kinds that lists do not show whole."""
        for gauge, known, kinds in (
            (self.own_project_only, self._narrow[cloud], narrow),
            (self.list_cut_off, self._cut_off[cloud], cut_off),
        ):
            for kind in known - set(kinds):
                gauge.remove(cloud, kind)
            known.clear()
            known.update(kinds)
            for kind in kinds:
                gauge.labels(cloud, kind).set(1)

    def queue(self, waiting: Sequence[Waiting], *, now: datetime) -> None:
        """Show what waits; all copies show the same queue."""
        self.waiting.clear()
        self.oldest.clear()
        for item in waiting:
            self.waiting.labels(item.cloud, item.kind).set(item.count)
            age = max(0.0, (now - item.oldest).total_seconds())
            self.oldest.labels(item.cloud, item.kind).set(age)
