"""What the refresher shows of a cloud: how its APIs are asked, and what they do not show us."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.refresher.permits import Denial
from shared.openstack.sending import Budget


class CallMetrics:
    """What is asked of a cloud's APIs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "osevents_api_calls",
            "API requests, retries too.",
            ("cloud", "service"),
            registry=registry,
        )
        self.tokens = Counter(
            "osevents_tokens", "Logins at Keystone.", ("cloud",), registry=registry
        )
        self._under_way = _Present(
            "osevents_api_calls_under_way", "API calls at this moment.", "service", registry
        )
        self._waiting = _Present(
            "osevents_api_calls_waiting",
            "API calls that wait for their budget.",
            "service",
            registry,
        )
        self._left_alone = _Present(
            "osevents_api_left_alone",
            "1 while a service is not asked because it kept failing.",
            "service",
            registry,
        )
        self._counted: Tally[tuple[str, str]] = Tally()

    def asked_of(self, cloud: str, calls: Mapping[str, int], tokens: int) -> None:
        """Take over the totals that a cloud's client counted since it was opened."""
        for service, total in calls.items():
            self.calls.labels(cloud, service).inc(total - self._counted[cloud, service])
            self._counted[cloud, service] = total
        self.tokens.labels(cloud).inc(tokens - self._counted[cloud, ""])
        self._counted[cloud, ""] = tokens

    def budget(self, cloud: str, budgets: Mapping[str, Budget]) -> None:
        """Show how a cloud's services are asked now."""
        self._under_way.show(cloud, {name: one.under_way for name, one in budgets.items()})
        self._waiting.show(cloud, {name: one.waiting for name, one in budgets.items()})
        self._left_alone.show(
            cloud, {name: one.opened is not None for name, one in budgets.items()}
        )

    def forget(self, cloud: str) -> None:
        """Take the next totals of a cloud as those of another client, which counts from nothing."""
        for key in [key for key in self._counted if key[0] == cloud]:
            del self._counted[key]
        self.budget(cloud, {})


class HiddenMetrics:
    """Kinds that a cloud does not show us, or not whole."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._not_permitted = _Present(
            "osevents_kind_not_permitted",
            "1 for kinds that our credentials may not read.",
            "kind",
            registry,
        )
        self._own_project_only = _Present(
            "osevents_own_project_only",
            "Kinds of which the cloud shows us our own project alone (1).",
            "kind",
            registry,
        )
        self._cut_off = _Present(
            "osevents_list_cut_off",
            "Kinds whose list the service gives only in part (1).",
            "kind",
            registry,
        )

    def show(
        self,
        cloud: str,
        denials: Mapping[str, Denial],
        *,
        narrow: Collection[str],
        cut_off: Collection[str],
    ) -> None:
        """Show which kinds those are now."""
        self._not_permitted.show(cloud, dict.fromkeys(denials, 1))
        self._own_project_only.show(cloud, dict.fromkeys(narrow, 1))
        self._cut_off.show(cloud, dict.fromkeys(cut_off, 1))


class _Present:
    """A gauge by cloud and something in it, which shows what there is now and nothing older."""

    def __init__(self, name: str, text: str, label: str, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(name, text, ("cloud", label), registry=registry)
        self._shown: defaultdict[str, set[str]] = defaultdict(set)

    def show(self, cloud: str, values: Mapping[str, float]) -> None:
        for gone in self._shown[cloud] - values.keys():
            self._gauge.remove(cloud, gone)
        self._shown[cloud] = set(values)
        for name, value in values.items():
            self._gauge.labels(cloud, name).set(value)
