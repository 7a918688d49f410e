"""Every metric that the services serve, from the registries that they serve them from."""

from prometheus_client import CollectorRegistry

from services.catcher.metrics import CatcherMetrics
from services.cli.running.reloading import ReloadMetrics
from services.cli.running.timekeeping import ClockMetrics
from services.processor.actions.metrics import ActionMetrics
from services.processor.metrics import ProcessorMetrics
from services.processor.rules.metrics import RuleMetrics
from services.refresher.metrics import RefresherMetrics


def served() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return type and labels of every metric; a counter's name ends in `_total`."""
    registry = CollectorRegistry()
    for metrics in (
        CatcherMetrics,
        ProcessorMetrics,
        ActionMetrics,
        RuleMetrics,
        RefresherMetrics,
        ReloadMetrics,
        ClockMetrics,
    ):
        metrics(registry)
    found = {}
    for collector in registry._collector_to_names:
        (metric,) = collector.describe()  # type: ignore[attr-defined]
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        found[name] = metric.type, tuple(getattr(collector, "_labelnames", ()))
    return found


def series() -> dict[str, set[str]]:
    """Return what can be asked of Prometheus: the names of series, with the labels of each."""
    found = {}
    for name, (kind, labels) in served().items():
        if kind == "histogram":
            found[f"{name}_bucket"] = {*labels, "le"}
            found[f"{name}_count"] = found[f"{name}_sum"] = set(labels)
        else:
            found[name] = set(labels)
    return found
