"""Holding an inventory against what a simulated cloud really has, and explaining what differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.normalise import normalise
from services.refresher.resources import ALL
from shared.catalogue.load import builtin
from shared.catalogue.silence import silence
from shared.catalogue.targets import targets
from shared.snapshot import ChangeKind
from shared.target import BY_ID

Objects = Mapping[str, Mapping[str, Any]]
"""By id."""

SHAPED = frozenset({"links", "flavor", "swap"})
"""Fields that differ by who asks and how: addresses of the API, shapes by microversion."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One row that is not as the cloud is."""

    kind: str
    id: str
    change: ChangeKind
    """What has to become of the row."""
    fields: frozenset[str]
    """Empty except for UPDATED."""
    object: Mapping[str, Any]
    """As the cloud has it, or had it."""

    @property
    def silent(self) -> bool:
        """Whether OpenStack tells nobody of any of it, so that no event can have been lost."""
        known = silence()
        telling = (self.fields - known.companions) or {None}
        return all(known.why(self.kind, self.change, name, self.object) for name in telling)


def wrong_rows(kind: str, held: Objects, real: Objects) -> list[Wrong]:
    """Return every difference between what is held of a kind and what there is.

    Of that, what is for the services alone (heartbeats, secrets) is left out, as reads do.
    """
    real = {id_: ALL[kind].shape(object_) for id_, object_ in real.items()}
    found = [
        Wrong(kind, id_, ChangeKind.CREATED, frozenset(), real[id_])
        for id_ in real.keys() - held.keys()
    ]
    found += [
        Wrong(kind, id_, ChangeKind.DELETED, frozenset(), held[id_])
        for id_ in held.keys() - real.keys()
    ]
    for id_ in real.keys() & held.keys():
        # The truth is told in the newest microversion; we ask for the one that we know.
        told = (real[id_].keys() & held[id_].keys()) - SHAPED
        fields = frozenset(name for name in told if real[id_][name] != held[id_][name])
        if fields:
            found.append(Wrong(kind, id_, ChangeKind.UPDATED, fields, real[id_]))
    return found


class LostNews:
    """What lost notifications would have said something about."""

    def __init__(self, messages: Iterable[Mapping[str, Any]]) -> None:
        self._objects: set[tuple[str, str]] = set()
        self._by_field: set[tuple[str, str, str]] = set()
        for message in messages:
            notification = open_envelope(orjson.dumps(message))
            now = datetime.now(UTC)
            event = normalise(notification, cloud="", received_at=now, catalogue=builtin())
            self._objects |= {(ref.kind, ref.id) for ref in (*event.subjects, *event.related)}
            for target in targets(event, builtin()):
                if target.by == BY_ID:
                    self._objects.add((target.kind, target.key))
                else:
                    self._by_field.add((target.kind, target.by, target.key))

    def explain(self, kind: str, id_: str, object_: Mapping[str, Any]) -> bool:
        """Whether one of them was about this object."""
        return (kind, id_) in self._objects or any(
            (kind, by, str(object_.get(by))) == (of, by, key) for of, by, key in self._by_field
        )
