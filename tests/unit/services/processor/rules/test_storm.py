"""A storm of events against limits: as many firings as they allow, the rest counted."""

from collections import Counter
from datetime import timedelta

from prometheus_client import CollectorRegistry

from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.state import micros
from services.processor.rules.trial import Trial
from services.processor.rules.verdicts import Outcome
from tests.support.events import NOON, event, server
from tests.support.rules import rules

STORM = 100_000


def test_a_hundred_thousand_events_in_a_minute_fire_as_often_as_the_throttle_allows() -> None:
    found = rules(
        "- name: throttled\n  match: {types: port.update.end}\n  throttle: {most: 20, within: 5m}\n"
        "- name: each\n  match: {types: port.update.end}\n  key: subject\n  cooldown: 1h\n"
    )
    trial = Trial(found, Guard())
    metrics = RuleMetrics(CollectorRegistry())
    item = event(type="port.update.end", canonical="port.update.end", service="network")
    outcomes: Counter[tuple[str, Outcome]] = Counter()
    for first in range(0, STORM, 500):
        now = NOON + timedelta(minutes=first / STORM)
        batch = [
            item._replace(id=f"e{n}", time=now, subjects=(server(f"port-{n % 300}"),))
            for n in range(first, first + 500)
        ]
        verdicts = trial.events(batch, micros(now))
        metrics.decided(verdicts)
        outcomes.update((said.rule, said.outcome) for said in verdicts)

    assert outcomes == {
        ("throttled", Outcome.FIRED): 20,
        ("throttled", Outcome.THROTTLE): STORM - 20,
        ("each", Outcome.FIRED): 300,
        ("each", Outcome.COOLDOWN): STORM - 300,
    }
    suppressed = metrics.suppressed.labels("throttled", "throttle")
    assert suppressed._value.get() == STORM - 20
