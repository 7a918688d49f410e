"""What every consumer shows of the heartbeats that come through to it."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from shared.event import Event


class HeartbeatMetrics:
    """The newest heartbeat, by cloud."""

    def __init__(self, registry: CollectorRegistry, group: str) -> None:
        self.at = Gauge(
            f"osevents_{group}_heartbeat_timestamp_seconds",
            "When the newest heartbeat that has come through was sent.",
            ("cloud",),
            registry=registry,
        )
        self.lag = Gauge(
            f"osevents_{group}_heartbeat_lag_seconds",
            "How long the newest heartbeat took, with everything before it committed.",
            ("cloud",),
            registry=registry,
        )

    def note(self, event: Event, now: datetime) -> None:
        """Note a heartbeat that has come through."""
        self.at.labels(event.cloud).set(event.time.timestamp())
        self.lag.labels(event.cloud).set(max(0.0, (now - event.time).total_seconds()))
