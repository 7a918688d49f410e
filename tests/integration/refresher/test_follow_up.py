"""What a list by a field no longer shows is asked for by id, however much that is."""

from datetime import timedelta

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table, target
from tests.support.refreshing import Setting

PORTS = "/network/v2.0/ports"


async def know_ports(setting: Setting, count: int, server: str) -> list[str]:
    """Let reads have found so many ports of a server, a while ago; return their ids."""
    at = setting.clock.now() - timedelta(hours=1)
    ids = [f"port-{number:05}" for number in range(count)]
    known = [
        Snapshot(
            ResourceRef("prod", "port", id_), None, None, None, {"id": id_, "device_id": server}, at
        )
        for id_ in ids
    ]
    await setting.inventory.write(known, Cause(CauseKind.EVENT, "e0"))
    return ids


async def test_all_of_more_than_two_thousand_are_asked_for(
    cloud: FakeCloud, setting: Setting
) -> None:
    first, *others = await know_ports(setting, 2001, "s")
    cloud.answers[PORTS] = Table("ports", "port", [{"id": first, "device_id": "s"}]).list
    await setting.ask(target("port", "s", "device_id"))

    (claim,) = await setting.worker.claim()
    await setting.worker.work([claim])

    assert await setting.waiting() == len(others) == 2000


async def test_what_another_server_has_is_not_asked_for(cloud: FakeCloud, setting: Setting) -> None:
    await know_ports(setting, 2, "another")
    cloud.answers[PORTS] = Table("ports", "port", []).list
    await setting.ask(target("port", "s", "device_id"))

    await setting.work_off()

    assert await setting.waiting() == 0
