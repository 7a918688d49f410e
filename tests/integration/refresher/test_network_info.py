"""What Neutron's events and Nova's lateness mean for the servers behind ports and floating IPs."""

from datetime import timedelta
from typing import Any

import pytest

from services.refresher.network_info import NOVA_LEARNS
from shared.event import Event
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from tests.support.events import event
from tests.support.fake_cloud import FakeCloud
from tests.support.refreshing import WINDOW, WINDOWS, Setting, port_event

PORT = {
    "id": "p",
    "device_id": "s",
    "device_owner": "compute:nova",
    "status": "ACTIVE",
    "mac_address": "fa",
    "fixed_ips": [{"subnet_id": "n", "ip_address": "10.0.0.5"}],
    "security_groups": [],
    "binding:host_id": "host-1",
    "revision_number": 4,
}
FLOATING = {"id": "f", "floating_ip_address": "172.24.0.8", "status": "ACTIVE", "port_id": "p"}


def entry(kind: str, address: str) -> dict[str, str]:
    return {"addr": address, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": "fa"}


FIXED, LEADING = entry("fixed", "10.0.0.5"), entry("floating", "172.24.0.8")


def server(*entries: dict[str, str]) -> dict[str, Any]:
    return {"id": "s", "status": "ACTIVE", "addresses": {"net": list(entries)}}


async def have(setting: Setting, kind: str, item: dict[str, Any]) -> None:
    """Let a read have found an object a while ago."""
    ref = ResourceRef("prod", kind, item["id"])
    at = setting.clock.now() - timedelta(minutes=1)
    found = Snapshot(ref, None, None, None, item, at, item.get("revision_number"))
    await setting.inventory.write([found], Cause(CauseKind.EVENT, "e0"))


def port_told(setting: Setting, **different: Any) -> Event:
    """Make Neutron tell the whole port, with its server among what is related."""
    item = PORT | {"revision_number": 5} | different
    related = (ResourceRef("prod", "server", "s"),)
    now = setting.clock.now()
    return port_event("e1", "p", payload={"port": item}, time=now, related=related)


def floating_ip_told(setting: Setting, port: str | None) -> Event:
    """Make Neutron tell that a floating IP leads to a port, or nowhere."""
    details = {"device_id": "s", "device_owner": "compute:nova"} if port else None
    status = "ACTIVE" if port else "DOWN"
    told = {"port_id": port, "port_details": details, "status": status, "revision_number": 2}
    return event(
        "e1",
        type="floatingip.update.end",
        service="network",
        time=setting.clock.now(),
        subjects=(ResourceRef("prod", "floating_ip", "f"),),
        related=(ResourceRef("prod", "server", "s"),) if port else (),
        payload={"floatingip": FLOATING | told},
    )


async def waiting(setting: Setting) -> list[tuple[str, int]]:
    return [(one.kind, one.count) for one in await setting.targets.waiting()]


async def test_a_port_that_its_server_shows_already_costs_no_read(setting: Setting) -> None:
    await have(setting, "port", PORT)
    await have(setting, "server", server(FIXED))

    await setting.intake.handle([port_told(setting, name="renamed")])

    assert await waiting(setting) == []


@pytest.mark.parametrize(
    "different",
    [
        {"fixed_ips": [{"subnet_id": "n", "ip_address": "10.0.0.6"}]},
        {"security_groups": ["g"]},
    ],
)
async def test_a_port_that_its_server_does_not_show_has_the_server_read(
    setting: Setting, different: dict[str, Any]
) -> None:
    await have(setting, "port", PORT)
    await have(setting, "server", server(FIXED))

    # Told twice, since the bus delivers again what a copy did not finish.
    for _ in range(2):
        await setting.intake.handle([port_told(setting, **different)])

    assert await waiting(setting) == [("server", 1)]


async def test_a_server_that_no_read_found_is_read(setting: Setting) -> None:
    await setting.intake.handle([port_told(setting)])

    assert await waiting(setting) == [("server", 1)]


async def test_a_server_is_read_when_nova_knows(setting: Setting) -> None:
    await have(setting, "port", PORT)
    await have(setting, "server", server(FIXED))

    await setting.intake.handle([floating_ip_told(setting, "p")])

    setting.clock.advance(WINDOW)
    assert await setting.worker.claim() == []
    setting.clock.advance(NOVA_LEARNS)
    (claimed,) = await setting.worker.claim()
    assert (claimed.target.kind, claimed.target.key) == ("server", "s")


async def test_a_server_that_a_floating_ip_leaves_is_read(setting: Setting) -> None:
    await have(setting, "port", PORT)
    await have(setting, "floating_ip", FLOATING | {"revision_number": 1})
    await have(setting, "server", server(FIXED, LEADING))

    await setting.intake.handle([floating_ip_told(setting, None)])

    assert await waiting(setting) == [("server", 1)]


async def test_a_floating_ip_that_stays_where_it_was_costs_no_read(setting: Setting) -> None:
    await have(setting, "port", PORT)
    await have(setting, "floating_ip", FLOATING | {"revision_number": 1})
    await have(setting, "server", server(FIXED, LEADING))

    await setting.intake.handle([floating_ip_told(setting, "p")])

    assert await waiting(setting) == []


async def test_a_server_that_nova_shows_too_soon_gets_one_second_look(
    cloud: FakeCloud, setting: Setting
) -> None:
    await have(setting, "port", PORT)
    await have(setting, "floating_ip", FLOATING)
    cloud.answer("/compute/v2.1/servers/s", {"server": server(FIXED)})

    await setting.intake.handle([event("e1", subjects=(ResourceRef("prod", "server", "s"),))])
    cloud.answer("/network/v2.0/ports", {"ports": [PORT]})
    assert await setting.work_off(WINDOW) > 0
    cloud.answer("/compute/v2.1/servers/s", {"server": server(FIXED, LEADING)})
    assert await setting.work_off(WINDOWS.second_look * 2) == 1

    row = await setting.row("server", "s")
    assert row is not None
    assert row.object is not None
    assert row.object["addresses"] == {"net": [FIXED, LEADING]}
    assert await waiting(setting) == []
