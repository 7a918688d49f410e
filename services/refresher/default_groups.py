"""Default security groups, which come with a project's first network call and without an event.

Neutron makes the group when it makes the first network, port or security group of a project
(`_ensure_default_security_group` in `neutron/db/securitygroups_db.py`), so an event of such a
creation is when to look for it.

To ask for the groups of a project, or for their rules, is such a call, too: the real Neutron makes
the group rather than show none. So only fresh events count, of projects that had their group a
moment ago; after a late one the project may be gone, and the group would be of nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.refresher.telling import FRESH
from shared.event import Action, Event, Phase
from shared.resource import Kind
from shared.store.inventory import Inventory
from shared.store.resource_filter import ResourceFilter
from shared.target import Target

_MAKES_IT = frozenset({Kind.NETWORK, Kind.PORT, Kind.SECURITY_GROUP})
_IS_DEFAULT = "default"
_PROJECT = "project_id"
_WHY = "the first network call of its project"


@dataclass(frozen=True, slots=True)
class DefaultGroups:
    """Finds projects whose default security group the inventory does not have yet."""

    inventory: Inventory
    _known: set[tuple[str, str]] = field(default_factory=set)
    """Cloud and project; such a group stays as long as its project does."""

    async def missing(self, events: Iterable[Event], *, now: datetime) -> list[Target]:
        """Return what to read, the group and its rules; raises StoreUnavailable."""
        asked: list[Target] = []
        fresh = [event for event in events if now - event.time <= FRESH]
        for (cloud, project), event in _creations(fresh).items():
            if not await self._has(cloud, project):
                asked += [
                    Target(cloud, kind, _PROJECT, project, event.id, _WHY)
                    for kind in (Kind.SECURITY_GROUP, Kind.SECURITY_GROUP_RULE)
                ]
        return asked

    async def _has(self, cloud: str, project: str) -> bool:
        if (cloud, project) not in self._known:
            wanted = ResourceFilter(project=project, name=_IS_DEFAULT)
            found = await self.inventory.find(
                Kind.SECURITY_GROUP, cloud=cloud, most=1, which=wanted
            )
            if not found:
                return False
            self._known.add((cloud, project))
        return True


def _creations(events: Iterable[Event]) -> dict[tuple[str, str], Event]:
    """Return an event of each project in which something was made that brings its group along."""
    return {
        (event.cloud, event.project): event
        for event in events
        if event.project
        and (event.action, event.phase) == (Action.CREATE, Phase.END)
        and event.subjects
        and event.subjects[0].kind in _MAKES_IT
    }
