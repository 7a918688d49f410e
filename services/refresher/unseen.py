"""What a full pass did not see: suspects, to be asked for by id, since only a 404 deletes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.refresher.objects import Objects
from services.refresher.resources.model import Resource
from shared.clock import Clock
from shared.resource import ResourceRef
from shared.snapshot import Cause
from shared.store.inventory import Inventory
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

_NOBODYS = ""
"""No project; no row has it."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows of one cloud that lists lacked; raises StoreUnavailable, and may be repeated."""

    cloud: str
    objects: Objects
    inventory: Inventory
    targets: TargetQueue
    clock: Clock

    async def some(
        self, resource: Resource, *, before: datetime, after: str | None
    ) -> list[ResourceRef]:
        """Return rows that no read found since `before`, by id; empty when there are no more.

        Of what other projects have none, unless we are shown it. Raises CloudRefused and
        CloudUnavailable where that cannot be told.
        """
        everywhere = await self.objects.sees_all(resource)
        return await self.inventory.unseen(
            self.cloud,
            resource.kind,
            before=before,
            most=_AT_ONCE,
            after=after,
            project=None if everywhere else self.objects.project_id or _NOBODYS,
        )

    async def ask(self, resource: Resource, unseen: Sequence[ResourceRef], cause: Cause) -> int:
        """Ask for those of some rows that a read could tell anything of; return how many."""
        asked = [
            Target(self.cloud, ref.kind, BY_ID, ref.id, str(cause), "not seen by a full pass")
            for ref in unseen
            if not self.objects.scope.conceals(resource, ref.id)
        ]
        await self.targets.ask(asked, now=self.clock.now(), merge_window=timedelta(0))
        return len(asked)
