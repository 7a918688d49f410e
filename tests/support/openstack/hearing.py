"""What a real service's notifications make of an inventory that nobody fills otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.normalise import normalise
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.catalogue.load import builtin
from shared.catalogue.silence import silence
from shared.event import Event
from shared.openstack.client import CloudClient
from shared.snapshot import ChangeKind
from shared.store.database import Database
from shared.store.targets import ClaimedTarget
from shared.target import BY_ID, BY_KIND
from tests.support.clocks import FixedClock
from tests.support.openstack.asking import CLOCK, listed
from tests.support.refreshing import Setting


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, with both values."""
    fields = one.keys() | other.keys()
    both = {field: (one.get(field), other.get(field)) for field in fields}
    return {field: values for field, values in both.items() if values[0] != values[1]}


def events_in(notifications: Path) -> list[Event]:
    """Return the events of what a service notified, one a line, in their order."""
    now, catalogue = datetime.now(UTC), builtin()
    return [
        normalise(open_envelope(line), cloud="prod", received_at=now, catalogue=catalogue)
        for line in notifications.read_bytes().splitlines()
    ]


@dataclass
class Hearing:
    """An inventory of one cloud, as notifications leave it before and after the reads."""

    setting: Setting
    reader: Reader
    claimed: list[ClaimedTarget] = field(default_factory=list)

    @classmethod
    async def of(cls, notifications: Path, database: Database, client: CloudClient) -> "Hearing":
        """Take in all notifications at the time of each; no target is read yet."""
        events = events_in(notifications)
        setting = Setting(database, client, FixedClock(events[0].time))
        for event in events:
            setting.clock.advance(max(event.time, setting.clock.now()) - setting.clock.now())
            await setting.intake.handle([event])
        return cls(setting, Reader(client, clock=CLOCK))

    async def unlike_the_api(self, kind: str, *, heard: bool) -> dict[str, Any]:
        """Return what the inventory holds and the API does not show so, by id.

        `heard`: only of what no target asks for, which its notifications must have told whole.
        """
        shown = await listed(self.reader, ALL[kind])
        found = {}
        for row in await self.setting.inventory.find(kind):
            item = dict(row.object or {})
            if heard and self._asked_for(kind, row.ref.id, item):
                continue
            unlike = differences(item, shown[row.ref.id]) if row.ref.id in shown else "not there"
            if unlike:
                found[row.ref.id] = unlike
        return found

    async def not_heard_of(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what the API shows and the inventory lacks, though it does not come silently."""
        living = {row.ref.id for row in await self.setting.inventory.find(kind)}
        return [
            item
            for id_, item in (await listed(self.reader, ALL[kind])).items()
            if id_ not in living and not silence().why(kind, ChangeKind.CREATED, None, item)
        ]

    async def claim(self) -> None:
        """Claim all targets that were asked for."""
        self.setting.clock.advance(timedelta(seconds=10))
        while claimed := await self.setting.worker.claim():
            self.claimed += claimed

    async def read(self) -> None:
        """Work off what was claimed, and what that asks for."""
        await self.setting.worker.work(self.claimed)
        await self.setting.work_off()

    def _asked_for(self, kind: str, id_: str, item: Mapping[str, Any]) -> bool:
        targets = [one.target for one in self.claimed if one.target.kind == kind]
        return any(
            target.by == BY_KIND
            or target.key == (id_ if target.by == BY_ID else str(item.get(target.by)))
            for target in targets
        )
