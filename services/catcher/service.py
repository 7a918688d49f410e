"""The catcher at work: a watch for each cloud, heartbeats, and the state that people look at.

Clouds join, change and leave while the others go on; one that is broken never harms another.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from services.catcher.cloud import WatchedCloud
from services.catcher.reader import Desk
from services.catcher.state import CloudState
from services.catcher.watch import CloudWatch, Patience
from shared.errors import Transient
from shared.heartbeat import heartbeat_event
from shared.runtime.fleet import Fleet, Member
from shared.store.status import Heartbeats
from shared.waiting import pause

STATE_INTERVAL = timedelta(seconds=1)
REPORT_INTERVAL = timedelta(seconds=2)
"""Between two reports of a cloud's state to PostgreSQL, where `osevents status` looks."""

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Catcher:
    """One copy of the catcher."""

    clouds: Sequence[WatchedCloud]
    desk: Desk
    instance: str
    """Names this copy; unique among all."""
    heartbeat_interval: timedelta | None = timedelta(seconds=10)
    """None: no heartbeats."""
    patience: Patience = field(default_factory=Patience)
    _watches: dict[str, CloudWatch] = field(default_factory=dict, init=False)
    _fleet: Fleet = field(init=False)

    def __post_init__(self) -> None:
        self._fleet = Fleet(self._members(self.clouds))

    @property
    def states(self) -> dict[str, CloudState]:
        """How it stands with each cloud that is watched."""
        return {name: watch.state for name, watch in self._watches.items()}

    def command(self, clouds: Sequence[WatchedCloud]) -> None:
        """Watch these clouds from now on; one whose settings did not change goes on undisturbed."""
        self._fleet.command(self._members(clouds))

    async def run(self, stop: asyncio.Event) -> None:
        """Catch until `stop` is set, then finish what is in hand."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fleet.run(stop), name="clouds")
            group.create_task(self._show(stop), name="source states")
            group.create_task(self._report(stop), name="cloud states")
            if self.heartbeat_interval is not None:
                group.create_task(self._beat(self.heartbeat_interval, stop), name="heartbeats")

    def _members(self, clouds: Sequence[WatchedCloud]) -> dict[str, Member]:
        return {cloud.name: Member(cloud.made_from, self._watching(cloud)) for cloud in clouds}

    def _watching(self, cloud: WatchedCloud) -> Any:
        async def work(stop: asyncio.Event) -> None:
            watch = CloudWatch(cloud, self.desk, self.patience)
            self._watches[cloud.name] = watch
            try:
                await watch.run(stop)
            finally:
                del self._watches[cloud.name]
                self.desk.metrics.forget(cloud.name)

        return work

    async def _show(self, stop: asyncio.Event) -> None:
        """Keep the gauges fresh that nobody sets as it happens."""
        while not stop.is_set():
            for name, watch in self._watches.items():
                self.desk.metrics.sources.watched(name, watch.state)
                for reader in watch.readers:
                    if reader.name and not reader.standby:
                        up = reader.trouble is None
                        self.desk.metrics.sources.up.labels(name, reader.name).set(1 if up else 0)
            await pause(STATE_INTERVAL, stop)

    async def _report(self, stop: asyncio.Event) -> None:
        """Tell PostgreSQL how each cloud is, and keep what was learnt of it."""
        while not stop.is_set():
            try:
                for name, watch in list(self._watches.items()):
                    now = self.desk.clock.now()
                    await Heartbeats(self.desk.database).report(
                        "catcher", self.instance, _told(watch), now=now, cloud=name
                    )
                    await watch.remember()
            except Transient as error:
                log.warning("state_not_reported", reason=str(error))
            await pause(REPORT_INTERVAL, stop)

    async def _beat(self, interval: timedelta, stop: asyncio.Event) -> None:
        while not stop.is_set():
            beats = [
                heartbeat_event(
                    id_=self.desk.new_id(),
                    cloud=name,
                    instance=self.instance,
                    now=self.desk.clock.now(),
                )
                for name in self._watches
            ]
            try:
                await self.desk.bus.publish(beats)
            except Transient as error:
                # Not tried again: that none came through is what a heartbeat is there to show.
                log.warning("heartbeat_not_sent", reason=str(error))
            await pause(interval, stop)


def _told(watch: CloudWatch) -> Mapping[str, Any]:
    """Return a cloud's state as a JSON object."""
    told = asdict(watch.state)
    silent_for = watch.state.silent_for
    return told | {
        "standby": any(reader.standby for reader in watch.readers),
        "silent_for": None if silent_for is None else silent_for.total_seconds(),
    }
