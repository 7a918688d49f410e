"""What the catcher counts (docs/reference/metrics.md has the list for all services)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.catcher.state import CloudState
from shared.event import Event, Occasion


class CatcherMetrics:
    """The catcher's figures, by what they tell of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.caught = CaughtMetrics(registry)
        self.sources = SourceMetrics(registry)
        self.history = HistoryMetrics(registry)

    def forget(self, cloud: str) -> None:
        """Show a cloud no more that is watched no more; what was counted stays."""
        for gauge in (self.caught.newest, *self.sources.states, *self.history.gauges):
            gauge.remove_by_labels({"cloud": cloud})


class CaughtMetrics:
    """Notifications on their way from a source to the bus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "osevents_caught",
            "Events that the bus has taken over from a source.",
            ("cloud", "source"),
            registry=registry,
        )
        self.unreadable = Counter(
            "osevents_unreadable",
            "Notifications that could not be read and became dead letters.",
            ("cloud", "source"),
            registry=registry,
        )
        self.unknown_types = Counter(
            "osevents_unknown_type",
            "Events whose type no catalogue entry names.",
            ("cloud", "service"),
            registry=registry,
        )
        self.filtered = Counter(
            "osevents_filtered",
            "Notifications dropped by a pattern of the cloud's filters.",
            ("cloud", "pattern"),
            registry=registry,
        )
        self.webhook_requests = Counter(
            "osevents_webhook_requests",
            "Requests to the webhook, by what became of them.",
            ("cloud", "outcome"),
            registry=registry,
        )
        self.publish_failures = Counter(
            "osevents_publish_failures",
            "Times the bus did not take what we published; it was tried again.",
            ("cloud",),
            registry=registry,
        )
        self.newest = Gauge(
            "osevents_last_event_timestamp_seconds",
            "When the newest event of the service happened, by its own account.",
            ("cloud", "service"),
            registry=registry,
        )
        self.lag = Histogram(
            "osevents_catch_lag_seconds",
            "From the event's own time to the bus having taken it.",
            ("cloud",),
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )

    def moved(
        self, cloud: str, source: str, events: Sequence[Event], unreadable: int, now: datetime
    ) -> None:
        """Count one handover that the bus has taken."""
        if unreadable:
            self.unreadable.labels(cloud, source).inc(unreadable)
        self.events.labels(cloud, source).inc(len(events))
        lag = self.lag.labels(cloud)
        newest: dict[str, datetime] = {}
        for event in events:
            if not event.known:
                self.unknown_types.labels(cloud, event.service).inc()
            if event.occasion is Occasion.NEWS:
                lag.observe(max(0.0, (now - event.time).total_seconds()))
                newest[event.service] = max(event.time, newest.get(event.service, event.time))
        for service, time in newest.items():
            self.newest.labels(cloud, service).set(time.timestamp())

    def dropped(self, cloud: str, by_pattern: Mapping[str, int]) -> None:
        """Count what filters dropped, by the pattern that did it."""
        for pattern, count in by_pattern.items():
            self.filtered.labels(cloud, pattern).inc(count)

    def publish_failed(self, cloud: str) -> None:
        """Count one failed attempt to publish."""
        self.publish_failures.labels(cloud).inc()


class SourceMetrics:
    """How it stands with sources, and with the clouds behind them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "osevents_source_up",
            "1 while notifications can arrive from the source, else 0.",
            ("cloud", "source"),
            registry=registry,
        )
        self.gaps = Counter(
            "osevents_source_gaps",
            "Times a source may have lost notifications before we read them.",
            ("cloud", "source"),
            registry=registry,
        )
        self.blind = Gauge(
            "osevents_cloud_blind",
            "1 while nothing can arrive from the cloud, else 0; `osevents status` says why.",
            ("cloud",),
            registry=registry,
        )
        self.silent = Gauge(
            "osevents_cloud_silent_seconds",
            "For how long nothing has come, when that is alarming for this cloud; else 0.",
            ("cloud",),
            registry=registry,
        )
        self.states = (self.up, self.blind, self.silent)

    def watched(self, cloud: str, state: CloudState) -> None:
        """Show how it stands with a cloud."""
        self.blind.labels(cloud).set(0 if state.trouble is None else 1)
        silent = state.silent_for
        self.silent.labels(cloud).set(silent.total_seconds() if silent is not None else 0)


class HistoryMetrics:
    """How far the loading of history has come."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Gauge(
            "osevents_history_events",
            "Events loaded so far of what the source held when it was first met.",
            ("cloud",),
            registry=registry,
        )
        self.rate = Gauge(
            "osevents_history_events_per_second",
            "How fast history is loaded, over the last minute; 0 when it is over.",
            ("cloud",),
            registry=registry,
        )
        self.share = Gauge(
            "osevents_history_done_ratio",
            "The loaded part of history's span of time; 1 when it is over.",
            ("cloud",),
            registry=registry,
        )
        self.left = Gauge(
            "osevents_history_left_seconds",
            "How long loading will take if the rest is as dense as the last minute's.",
            ("cloud",),
            registry=registry,
        )
        self.gauges = (self.events, self.rate, self.share, self.left)

    def at(self, cloud: str, *, events: int, per_second: float, share: float) -> None:
        """Show how far the loading of history has come."""
        self.events.labels(cloud).set(events)
        self.rate.labels(cloud).set(per_second)
        self.share.labels(cloud).set(share)

    def will_take(self, cloud: str, left: timedelta) -> None:
        """Show how long the loading of history will take."""
        self.left.labels(cloud).set(left.total_seconds())
