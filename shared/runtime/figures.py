"""A service's own metrics as plain numbers, for its heartbeat and for the screen.

What Prometheus scrapes from `/metrics` is summed over all labels, and over all but `cloud`, so
that `osevents status` needs no Prometheus.
"""

from collections import defaultdict
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

Figures = dict[str, float]
"""Metric name, and the same with `{<cloud>}` behind it where it has that label, to value."""

_KINDS = ("counter", "gauge")
_HISTOGRAM_PARTS = ("_count", "_sum")


def figures_of(registry: CollectorRegistry) -> Figures:
    """Return the present value of every counter and gauge, and count and sum of histograms."""
    figures: defaultdict[str, float] = defaultdict(float)
    for metric in registry.collect():
        for sample in metric.samples:
            counted = metric.type in _KINDS and not sample.name.endswith("_created")
            if counted or (metric.type == "histogram" and sample.name.endswith(_HISTOGRAM_PARTS)):
                for name in _names(sample.name, sample.labels):
                    figures[name] += sample.value
    return dict(figures)


def _names(name: str, labels: Mapping[str, str]) -> list[str]:
    names = [name]
    if "cloud" in labels:
        names.append(f"{name}{{{labels['cloud']}}}")
    return names
