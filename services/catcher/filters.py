"""Which notifications are not wanted, by the pattern of their type. Pure.

A third of what a cloud sends changes nothing: logins, audits, statistics of schedulers. Dropping
them early saves everybody the work; each is counted by the pattern that dropped it.

Two things no wildcard takes away. Errors, because they are what people look for. And what alone
tells of a change: a lone `compute.instance.update` is the only sign of a rename, of tags, locks and
resets (seen on a real cloud: 161 of 358 showed neither a state nor a task that changed), and only
`*.delete.end` says that something is gone.
"""

from collections.abc import Iterable

from shared.catalogue.catalogue import type_pattern

LOUD = frozenset({"error", "critical"})
"""Priorities that are never dropped."""
ONLY_SIGN = (
    "compute.instance.update",
    "instance.update",
    "*.delete",
    "*.delete.end",
    "*.deleted",
    "osevents.*",
)
"""Taken only by a pattern without a wildcard: who writes the name means it."""
_ONLY_SIGN = tuple(map(type_pattern, ONLY_SIGN))
_MOST_REMEMBERED = 10_000
_FAILURE = "failure"
_OUTCOME_COUNTS = type_pattern("identity.*")
"""Keystone tells everything at priority info, refused logins too; only the outcome says so. That of
`audit.http.*` does not count: there every 404 is a failure."""


class TypeFilter:
    """Says which types are dropped, and by which pattern."""

    def __init__(self, *, drop: Iterable[str], keep: Iterable[str] = ()) -> None:
        self._drop = [(pattern, type_pattern(pattern)) for pattern in drop]
        self._keep = [type_pattern(pattern) for pattern in keep]
        self._remembered: dict[str, str | None] = {}

    def dropped_by(self, event_type: str, priority: str, outcome: str | None = None) -> str | None:
        """Return the first pattern that drops a notification; None when it is wanted.

        `priority` in lower case, as `Notification` has it; `outcome` as CADF tells it.
        """
        if not self._drop or priority in LOUD:
            return None
        if outcome == _FAILURE and _OUTCOME_COUNTS.fullmatch(event_type):
            return None
        try:
            return self._remembered[event_type]
        except KeyError:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()  # types come from outside; memory stays bounded
            pattern = self._remembered[event_type] = self._decide(event_type)
            return pattern

    def _decide(self, event_type: str) -> str | None:
        if any(wanted.fullmatch(event_type) for wanted in self._keep):
            return None
        only_sign = any(sign.fullmatch(event_type) for sign in _ONLY_SIGN)
        for pattern, dropped in self._drop:
            if dropped.fullmatch(event_type) and not (only_sign and "*" in pattern):
                return pattern
        return None


PASS_ALL = TypeFilter(drop=())
"""Wants everything."""

CARRIES_ONLY = {"swift": ("objectstore.http.request",)}
"""Exchanges that carry nothing but these types (swift: ceilometermiddleware)."""


def wanted_exchanges(exchanges: Iterable[str], wanted: TypeFilter) -> tuple[str, ...]:
    """Return the exchanges worth binding: a broker cannot filter by type, but by exchange."""
    return tuple(
        exchange
        for exchange in exchanges
        if not (only := CARRIES_ONLY.get(exchange))
        or any(wanted.dropped_by(type_, "info") is None for type_ in only)
    )
