"""Whatever an API answers instead of an answer: no wrong delete, no lost target, and it shows.

Each fault meets a single read, a batch (at once and on its second page), a batch by a field, and a
full pass (at once and on its second page). After each the cloud recovers, and the inventory is true
again without anybody's help.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import ClientTimeout

from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig
from shared.store.database import Database
from shared.store.dead_letters import LetterFilter
from shared.store.passes import PassState
from shared.target import BY_ID
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import QUICK, FakeCloud, client_of
from tests.support.faults import FAULTS, PATIENCE_SECONDS, Fault, second_page_of
from tests.support.refresh import Table, target
from tests.support.refreshing import Setting

PORTS = "/network/v2.0/ports"
IDS = tuple("abcd")
A_WHILE = timedelta(minutes=11)


@pytest.fixture
async def client(config: CloudConfig) -> AsyncIterator[CloudClient]:
    """A client that tries twice."""
    async with client_of(config, limits=replace(QUICK, attempts=2)) as client:
        yield client


@pytest.fixture
def setting(database: Database, client: CloudClient) -> Setting:
    setting = Setting(database, client, FixedClock())
    setting.only("port")
    return setting


class Trouble:
    """Four ports that the inventory knows, in a cloud that gets a fault and recovers from it."""

    def __init__(
        self, cloud: FakeCloud, client: CloudClient, setting: Setting, fault: Fault
    ) -> None:
        self.cloud = cloud
        self.client = client
        self.setting = setting
        self.fault = fault
        self.changes = 0
        fields = {"device_id": "server-1", "status": "0"}
        self.table = Table("ports", "port", ({"id": id_, **fields} for id_ in IDS))

    def begin(self) -> None:
        """Change every port, and answer everything about ports badly."""
        self.changes += 1
        for item in self.table.objects.values():
            item["status"] = str(self.changes)
        for path in (PORTS, *(f"{PORTS}/{id_}" for id_ in IDS)):
            self.cloud.answers[path] = self.fault.answer
        self._wait(self.fault.patience_seconds)

    def on_second_page(self, *first: str) -> None:
        """Answer the first page of the list well."""
        objects = [self.table.objects[id_] for id_ in first]
        self.cloud.answers[PORTS] = second_page_of("ports", objects, self.fault)

    async def ask(self, *keys: str, by: str = BY_ID) -> None:
        """Ask for ports, try to read them, and see that nothing is lost."""
        before = await self._shown()
        # Dead letters that say the same are kept once, so each is asked for by another event.
        cause = f"event-{self.changes}"
        await self.setting.ask(*(target("port", key, by, cause=cause) for key in keys))
        await self.setting.work_off()
        await self.assert_all_live()
        waiting, dead, shown = await self._shown()
        unanswered = waiting + dead - before[0] - before[1]
        assert unanswered >= 1, "what was not answered waits, or is a dead letter"
        assert shown - before[2] >= unanswered, "it shows in the metrics"

    async def make_pass(self) -> None:
        """Make a full pass, and see that it fails and makes no suspects."""
        self.setting.clock.advance(timedelta(hours=7))
        await self.setting.make_passes()
        (latest,) = await self.setting.full_passes.latest()
        assert (latest.state, bool(latest.error)) == (PassState.FAILED, True)
        await self.assert_all_live()
        assert await self.setting.waiting() == 0, "what it did not see is no suspect"

    async def assert_all_live(self) -> None:
        """Nothing was deleted."""
        assert sorted(await self._statuses()) == list(IDS)

    async def recover(self) -> None:
        """Be well again; retries and the next pass make the inventory true."""
        self._wait(PATIENCE_SECONDS)
        self.cloud.answers[PORTS] = self.table.list
        for id_ in IDS:
            self.cloud.answers[f"{PORTS}/{id_}"] = self.table.show
        await self.setting.work_off(A_WHILE)
        self.setting.clock.advance(timedelta(hours=7))
        await self.setting.make_passes()
        assert await self._statuses() == dict.fromkeys(IDS, str(self.changes))
        assert await self.setting.waiting() == 0
        assert self.setting.worker.reader.objects.permits.denials() == {}

    def _wait(self, seconds: float) -> None:
        """Have the client wait so long for each answer from now on."""
        self.client._sender._http._timeout = ClientTimeout(total=seconds)

    async def _statuses(self) -> dict[str, str | None]:
        return {row.ref.id: row.status for row in await self.setting.inventory.find("port")}

    async def _shown(self) -> tuple[int, int, float]:
        """Return what waits, what is a dead letter, and what the metrics count."""
        letters = await self.setting.letters.find(LetterFilter(origin="refresher"))
        shown = sum(
            self.setting.counted(f"targets_{what}_total", cloud="prod", kind="port")
            for what in ("failed", "postponed")
        )
        return await self.setting.waiting(), len(letters), shown


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_it_deletes_nothing_loses_nothing_and_shows(
    cloud: FakeCloud, client: CloudClient, setting: Setting, fault: Fault
) -> None:
    trouble = Trouble(cloud, client, setting, fault)
    await trouble.recover()

    trouble.begin()
    await trouble.ask("a")
    await trouble.recover()

    trouble.begin()
    await trouble.ask(*IDS)
    await trouble.recover()

    trouble.begin()
    trouble.on_second_page("a", "b")
    await trouble.ask(*IDS)
    await trouble.recover()

    trouble.begin()
    await trouble.ask("server-1", by="device_id")
    await trouble.recover()

    trouble.begin()
    await trouble.make_pass()
    await trouble.recover()

    trouble.begin()
    trouble.on_second_page("a")
    await trouble.make_pass()
    await trouble.recover()


async def test_an_object_that_is_gone_amid_it_all_is_the_only_one_buried(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    trouble = Trouble(cloud, client, setting, FAULTS[0])
    await trouble.recover()
    trouble.begin()
    cloud.answers[f"{PORTS}/b"] = trouble.table.show
    del trouble.table.objects["b"]
    await setting.ask(*(target("port", id_) for id_ in IDS))
    await setting.work_off()
    assert await setting.living("port") == ["a", "c", "d"]
