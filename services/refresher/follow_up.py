"""What a read gives reason to read in turn, since OpenStack sends no event for it.

* Ports of routers and floating IPs, and subnets of a deleted network, go without a word: what a
  complete list by a field no longer shows is asked for by id, and only its 404 deletes it.
  So is an attachment that its volume does not show.
* A booted server's port comes up, and Glance's data arrives, a moment after the last event: what
  is settling gets one second look, and so does a server that does not show yet what its ports have.
  It is in no hurry, and waits for company. A read that came late was one itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.refresher.findings import Findings, Listed
from services.refresher.network_info import NetworkInfo
from shared.clock import Clock
from shared.resource import Kind, ResourceRef
from shared.store.inventory import Inventory
from shared.store.targets import ClaimedTarget, TargetQueue
from shared.target import BY_ID, Target

SECOND_LOOK = "second look"
_ASK_AT_ONCE = 1000
_OFF = frozenset({"SHUTOFF", "SUSPENDED", "SHELVED", "SHELVED_OFFLOADED"})
"""Statuses of servers without interfaces; an event tells when they get them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Asks for further targets after a read; raises StoreUnavailable, and may be repeated."""

    inventory: Inventory
    network_info: NetworkInfo
    targets: TargetQueue
    clock: Clock
    after: timedelta
    """How long to wait with a second look; once more as long it may wait for others."""

    async def ask(self, findings: Findings[ClaimedTarget], claims: Sequence[ClaimedTarget]) -> None:
        """Ask for what `findings`, already written, leave open; `claims` led to them."""
        now = self.clock.now()
        for listed in findings.lists:
            await self._ask_for_unlisted(findings.cloud, listed, now=now)
        looked_at = {
            item.target.key
            for item in claims
            if item.target.why == SECOND_LOOK or now - item.asked_at >= self.after
        }
        looks = [
            Target(ref.cloud, ref.kind, BY_ID, ref.id, str(findings.causes[ref]), SECOND_LOOK)
            for ref in await self._settling(findings) | await self._behind_time(findings)
            if ref.id not in looked_at
        ]
        await self.targets.ask(looks, now=now, merge_window=self.after, batch_window=self.after)

    async def _settling(self, findings: Findings[ClaimedTarget]) -> frozenset[ResourceRef]:
        """Return what is settling; the ports of a server that is off are where they stay."""
        server_of = {
            item.ref: ResourceRef(item.ref.cloud, Kind.SERVER, str(item.object.get("device_id")))
            for item in findings.snapshots
            if item.ref.kind == Kind.PORT and item.ref in findings.settling
        }
        known = await self.inventory.briefs(server_of.values())
        off = {server for server, brief in known.items() if brief.status in _OFF}
        at_rest = {port for port, server in server_of.items() if server in off}
        return frozenset(findings.settling - at_rest)

    async def _behind_time(self, findings: Findings[ClaimedTarget]) -> frozenset[ResourceRef]:
        servers = {item.ref for item in findings.snapshots if item.ref.kind == Kind.SERVER}
        return await self.network_info.behind_time(servers)

    async def _ask_for_unlisted(self, cloud: str, listed: Listed, *, now: datetime) -> None:
        """Ask for each row that a list should have shown and did not, some at a time."""
        cause, why, after = str(listed.cause), f"no {listed.field} now", None
        while True:
            unseen = await self.inventory.unseen_of(
                cloud,
                listed.kind,
                listed.field,
                listed.values,
                before=listed.began,
                most=_ASK_AT_ONCE,
                after=after,
            )
            suspects = [
                Target(ref.cloud, ref.kind, BY_ID, ref.id, cause, why)
                for ref in unseen
                if ref.id not in listed.shown
            ]
            await self.targets.ask(suspects, now=now, merge_window=timedelta(0))
            if len(unseen) < _ASK_AT_ONCE:
                return
            after = unseen[-1].id
