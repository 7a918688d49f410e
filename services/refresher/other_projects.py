"""What events ask of objects of other projects that we are not shown, so that no read would help.

A member hears of all projects on the bus, and an API answers them for an object of another one as
for one that does not exist. What an event tells of it stands in the inventory all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.refresher.resources.model import Resource
from services.refresher.scope import Scope
from shared.catalogue.paths import unwrapped
from shared.event import Event, Flavour
from shared.store.inventory import Inventory
from shared.target import BY_ID, Target

_PROJECT_FIELDS = ("project_id", "tenant_id")
# Cinder tells of a volume that changes hands as it was before (`accept` in `cinder/transfer/api.py`
# sends what it had read at its beginning).
_CHANGES_HANDS = "volume.transfer."


def project_told(target: Target, event: Event) -> str | None:
    """Return whose the object of `target` is by the payload of `event`; None where it is not told.

    Traits are no witness: they hold the caller's project where the payload has none.
    """
    if target.by != BY_ID or event.subjects != (target.ref,):
        return None
    if event.flavour not in (Flavour.LEGACY, Flavour.VERSIONED):
        return None
    if not isinstance(event.payload, dict):
        return None
    payload = unwrapped(event.payload)
    told = (payload.get(field) for field in _PROJECT_FIELDS)
    return next((one for one in told if isinstance(one, str) and one), None)


@dataclass(frozen=True, slots=True)
class OtherProjects:
    """Knows targets of other projects; raises StoreUnavailable."""

    scope_of: Callable[[str], Scope | None]
    """What a cloud shows us; None while this copy does not read it."""
    resources: Mapping[str, Resource]
    inventory: Inventory

    async def hidden(self, asked: Iterable[tuple[Target, Event]]) -> frozenset[Target]:
        """Return those of some targets whose objects are another project's, and not shown to us.

        Whose an object is, its id or its event says, or the inventory for what an event only names.
        """
        hidden: set[Target] = set()
        unsaid: list[tuple[Target, str]] = []
        for target, event in asked:
            scope, resource = self.scope_of(target.cloud), self.resources.get(target.kind)
            if scope is None or resource is None or target.by != BY_ID:
                continue
            if scope.conceals(resource, target.key):
                hidden.add(target)
            ours = scope.only_project(resource)
            if ours is None or event.type.startswith(_CHANGES_HANDS):
                continue
            told = project_told(target, event)
            if told is None:
                unsaid.append((target, ours))
            elif told != ours:
                hidden.add(target)
        known = await self.inventory.briefs(target.ref for target, _ in unsaid)
        for target, ours in unsaid:
            brief = known.get(target.ref)
            if brief is not None and brief.project not in (None, ours):
                hidden.add(target)
        return frozenset(hidden)
