"""The drift report: what a full pass corrected, and why no event had told it. Pure.

Three reasons are told apart. An event was *lost*: one should have come, and did not. The change is
*silent*: OpenStack tells nobody, so that only a pass can know. Or it was *told*: the event was on
its way, and the pass only faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.catalogue.catalogue import Catalogue
from shared.catalogue.model import Refresh
from shared.catalogue.silence import Silence
from shared.event import Action, Phase
from shared.snapshot import ChangeKind
from shared.store.drift import Corrected
from shared.target import BY_KIND

_EXAMPLES_MOST = 3
_TYPES_MOST = 4
_VALUES_MOST = 10
"""Pairs of old and new of one field that get a line of their own; names would fill pages."""
_SHORT = 40
_TOLD_BY = {
    ChangeKind.CREATED: Action.CREATE,
    ChangeKind.RESTORED: Action.CREATE,
    ChangeKind.UPDATED: Action.UPDATE,
    ChangeKind.DELETED: Action.DELETE,
}


class Why(StrEnum):
    """Why a full pass had to correct something."""

    LOST = "lost"
    SILENT = "silent"
    TOLD = "told"


@dataclass(slots=True)
class DriftLine:
    """Differences of one sort: kind, what became of the objects, field, from, to, and why."""

    cloud: str
    kind: str
    change: ChangeKind
    field: str | None
    old: str | None
    """As JSON; None, like `new`, where there are too many different ones."""
    new: str | None
    why: Why
    reason: str | None
    """Why it is silent; None for the others."""
    count: int
    examples: list[str]
    """A few ids."""


class DriftReport:
    """Sums up what passes corrected, in the room that the sorts need, not the objects."""

    def __init__(self, silence: Silence) -> None:
        self._silence = silence
        self._object: list[Corrected] = []
        self._lines: dict[tuple[str | None, ...], DriftLine] = {}
        self._pairs: dict[tuple[str, str | None], set[tuple[str | None, str | None]]] = {}

    def take(self, one: Corrected) -> None:
        """Take in one difference; those of one object come one after the other."""
        if self._object and self._object[0].ref != one.ref:
            self._settle()
        self._object.append(one)

    def lines(self) -> list[DriftLine]:
        """Return what was found: the lost first, of those the most frequent."""
        self._settle()
        order = list(Why)
        return sorted(self._lines.values(), key=lambda line: (order.index(line.why), -line.count))

    def _settle(self) -> None:
        differences, self._object = self._object, []
        why, reasons = self._why(differences)
        for one, reason in zip(differences, reasons, strict=True):
            self._count(one, why, reason if why is Why.SILENT else None)

    def _why(self, differences: Sequence[Corrected]) -> tuple[Why, list[str | None]]:
        """Decide for an object as a whole: fields that change along with others say nothing."""
        reasons = [
            self._silence.why(one.ref.kind, one.change, one.field, one.object)
            for one in differences
        ]
        if any(one.under_way for one in differences):
            return Why.TOLD, reasons
        telling = [
            reason
            for one, reason in zip(differences, reasons, strict=True)
            if one.field not in self._silence.companions
        ]
        silent = bool(telling) and None not in telling
        return Why.SILENT if silent else Why.LOST, reasons

    def _count(self, one: Corrected, why: Why, reason: str | None) -> None:
        old, new = self._values(one)
        key = (one.ref.cloud, one.ref.kind, one.change, one.field, old, new, why, reason)
        line = self._lines.get(key)
        if line is None:
            what = (one.ref.cloud, one.ref.kind, one.change, one.field)
            line = self._lines[key] = DriftLine(*what, old, new, why, reason, 0, [])
        line.count += 1
        if len(line.examples) < _EXAMPLES_MOST:
            line.examples.append(one.ref.id)

    def _values(self, one: Corrected) -> tuple[str | None, str | None]:
        """Return what it was and is, while there are few and short ones."""
        pairs = self._pairs.setdefault((one.ref.kind, one.field), set())
        pair = (one.old, one.new)
        short = all(text is None or len(text) <= _SHORT for text in pair)
        if pair not in pairs and (not short or len(pairs) >= _VALUES_MOST):
            return None, None
        pairs.add(pair)
        return pair


def _asks(refresh: Refresh, kind: str) -> bool:
    return refresh.kind == kind and refresh.by != BY_KIND


def expected_types(catalogue: Catalogue, kind: str, change: ChangeKind) -> list[str]:
    """Return some event types that tell of such a difference: one of them should have come.

    Of a kind without events of its own those that have it read again, whatever became of it.
    """
    ends = [
        entry
        for entry in catalogue.entries()
        if entry.phase is Phase.END
        and entry.known
        and "*" not in entry.type
        and entry.canonical == entry.type
    ]
    own = [one for one in ends if one.kind == kind]
    types = [one.type for one in own if one.action is _TOLD_BY[change]]
    if not own:
        types = [one.type for one in ends if any(_asks(some, kind) for some in one.refresh)]
    return sorted(types, key=lambda name: (name.count("."), len(name)))[:_TYPES_MOST]
