"""The claims one copy has in hand: bounded, and their leases renewed until they are answered."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from shared.clock import Clock
from shared.errors import Transient
from shared.store.targets import ClaimedTarget, TargetQueue

_RENEWALS_PER_LEASE = 3

log = structlog.get_logger(__name__)


class Hand:
    """What is claimed and not yet answered."""

    def __init__(self, targets: TargetQueue, *, most: int, lease: timedelta, clock: Clock) -> None:
        self._targets = targets
        self._most = most
        self._lease = lease
        self._clock = clock
        self._claims: dict[int, ClaimedTarget] = {}
        self._freed = asyncio.Event()

    @property
    def room(self) -> int:
        """How many more claims may be taken."""
        return self._most - len(self._claims)

    def take(self, claims: Sequence[ClaimedTarget]) -> None:
        """Hold `claims` until they are let go."""
        self._claims.update((claim.claim, claim) for claim in claims)

    def let_go(self, claims: Sequence[ClaimedTarget]) -> None:
        """Forget `claims`: they are answered."""
        for claim in claims:
            self._claims.pop(claim.claim, None)
        self._freed.set()

    async def until_room(self) -> None:
        """Wait until more claims may be taken."""
        while self.room <= 0:
            self._freed.clear()
            await self._freed.wait()

    async def keep_leases(self) -> None:
        """Renew what is in hand, for ever; a renewal that fails is tried again with the next."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / _RENEWALS_PER_LEASE)
            try:
                await self._targets.renew(
                    list(self._claims.values()), now=self._clock.now(), lease=self._lease
                )
            except Transient as error:
                log.warning("leases_not_renewed", claims=len(self._claims), reason=str(error))
