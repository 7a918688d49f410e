"""docs/reference/metrics.md names every metric with its labels, and no other."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.catcher.metrics import CatcherMetrics
from services.cli.running.reloading import ReloadMetrics
from services.processor.actions.metrics import ActionMetrics
from services.processor.metrics import ProcessorMetrics
from services.processor.rules.metrics import RuleMetrics
from services.refresher.metrics import RefresherMetrics

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| \w+ \| ([\w, -]+) \|", re.MULTILINE)


def real() -> dict[str, str]:
    """Return the labels of every metric by name."""
    registry = CollectorRegistry()
    for metrics in (
        CatcherMetrics,
        ProcessorMetrics,
        ActionMetrics,
        RuleMetrics,
        RefresherMetrics,
        ReloadMetrics,
    ):
        metrics(registry)
    found = {}
    for collector in registry._collector_to_names:
        (metric,) = collector.describe()  # type: ignore[attr-defined]
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        found[name] = ", ".join(getattr(collector, "_labelnames", ())) or "-"
    return found


def test_the_page_lists_every_metric_with_its_labels_and_no_other() -> None:
    listed = dict(ROW.findall(PAGE.read_text()))

    assert listed == real()
