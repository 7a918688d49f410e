"""Asks for full passes: of kinds that are due, that came back, and that a target asks for whole.

Who makes them is whoever claims them (`services.refresher.full_pass`), this copy or another.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import structlog

from services.refresher.objects import Objects
from services.refresher.resources.model import Resource
from services.refresher.schedule import CAME_BACK, asked_by, goes_on
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable, Transient
from shared.store.passes import FullPass, FullPasses
from shared.waiting import pause

_JITTER = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRequests:
    """What one copy asks for of the full passes of one cloud; copies that ask alike do no harm."""

    cloud: str
    resources: Mapping[str, Resource]
    interval: timedelta
    objects: Objects
    passes: FullPasses
    clock: Clock
    random: Random
    look: timedelta = timedelta(seconds=10)
    """How often to look whether a pass is due."""
    _jitters: dict[str, tuple[datetime | None, float]] = field(default_factory=dict, init=False)
    """By kind, with the end of the pass that it is the wait after."""

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for what is due until `stop` is set."""
        while not stop.is_set():
            try:
                await self.ask_for_due()
            except (Transient, CloudRefused) as error:
                log.warning("passes_not_asked_for", cloud=self.cloud, reason=str(error))
            await pause(self.look, stop)

    async def ask(self, kind: str, *, by: str) -> None:
        """Ask for a pass of a kind; one that waits to be made is enough for all who ask."""
        pass_id = UUID(int=self.random.getrandbits(128), version=4)
        now = self.clock.now()
        await self.passes.ask(self.cloud, kind, pass_id=pass_id, asked_by=by, now=now)

    async def ask_for_due(self) -> None:
        """Ask for the passes that are due, of the services that the cloud has."""
        latest = {one.kind: one for one in await self.passes.latest() if one.cloud == self.cloud}
        for kind, resource in self.resources.items():
            try:
                await self._ask_if_due(resource, latest.get(kind))
            except (CloudRefused, CloudUnavailable) as error:
                # What one service does not tell of itself says nothing of the others.
                reason = str(error)
                log.warning("pass_not_asked_for", cloud=self.cloud, kind=kind, reason=reason)

    async def _ask_if_due(self, resource: Resource, last: FullPass | None) -> None:
        kind, now = resource.kind, self.clock.now()
        by = asked_by(last, now=now, interval=self.interval, jitter=self._jitter(kind, last))
        was_absent = kind in self.objects.absent
        if (by is None and not was_absent) or not await self.objects.has(resource):
            return
        if last is not None and goes_on(last, now=now, interval=self.interval) and not was_absent:
            await self.passes.go_on(last)
            return
        await self.ask(kind, by=by or CAME_BACK)
        self.objects.absent.discard(kind)

    def _jitter(self, kind: str, last: FullPass | None) -> float:
        """Return by how much to wait longer or shorter after `last`, drawn anew for each."""
        ended = last.finished_at if last is not None else None
        drawn = self._jitters.get(kind)
        if drawn is None or drawn[0] != ended:
            drawn = self._jitters[kind] = ended, self.random.uniform(1 - _JITTER, 1 + _JITTER)
        return drawn[1]
