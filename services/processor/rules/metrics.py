"""What rules count (docs/reference/metrics.md has the list for all services)."""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.processor.rules.verdicts import SUPPRESSED, Outcome, Verdict


class RuleMetrics:
    """The figures of the rules."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.evaluated = Counter(
            "osevents_rules_evaluated",
            "Times a rule that names an event's type looked at the event.",
            registry=registry,
        )
        self.fired = Counter(
            "osevents_rules_fired",
            "Firings, stored with their actions.",
            ("rule",),
            registry=registry,
        )
        self.dry = Counter(
            "osevents_rules_dry",
            "Firings of rules that say dry_run, which run nothing.",
            ("rule",),
            registry=registry,
        )
        self.suppressed = Counter(
            "osevents_rules_suppressed",
            "Events that were for a rule, and what kept it from firing.",
            ("rule", "reason"),
            registry=registry,
        )
        self.errors = Counter(
            "osevents_rules_errors",
            "Conditions that had no answer for an event.",
            ("rule",),
            registry=registry,
        )
        self.seconds = Histogram(
            "osevents_rules_decision_seconds",
            "Time to decide about one batch of events, with reading and writing state.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.loaded = Gauge(
            "osevents_rules_loaded",
            "Rules in force, disabled ones too.",
            registry=registry,
        )
        self.broken = Gauge(
            "osevents_rules_broken",
            "1 while the rule files cannot be used and older rules are in force, else 0.",
            registry=registry,
        )
        self.load_failures = Counter(
            "osevents_rules_load_failures",
            "Times changed rule files could not be used.",
            registry=registry,
        )

    def decided(self, verdicts: Iterable[Verdict], looks: int = 0) -> None:
        """Count decisions that are committed, and how often rules looked for them."""
        self.evaluated.inc(looks)
        tally = Tally((verdict.rule, verdict.outcome) for verdict in verdicts)
        for (rule, outcome), count in tally.items():
            if outcome is Outcome.FIRED:
                self.fired.labels(rule).inc(count)
            elif outcome is Outcome.DRY_RUN:
                self.dry.labels(rule).inc(count)
            elif outcome is Outcome.ERROR:
                self.errors.labels(rule).inc(count)
            elif outcome in SUPPRESSED:
                self.suppressed.labels(rule, outcome).inc(count)
