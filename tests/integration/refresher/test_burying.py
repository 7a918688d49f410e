"""Objects go with their owners, and a read that is under way meanwhile does not bring them back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from services.refresher.resources import ALL
from shared.event import Action, Event
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from tests.support.events import NOON, event
from tests.support.fake_cloud import FakeCloud
from tests.support.refresh import Table, target
from tests.support.refreshing import WINDOW, Setting

CAUSE = Cause(CauseKind.EVENT, "e0")
MOMENT = timedelta(milliseconds=50)


def deleted(kind: str, type_: str, id_: str = "owner") -> Event:
    """Make OpenStack say that an object was deleted."""
    return event(
        f"end of {id_}",
        type=type_,
        action=Action.DELETE,
        subjects=(ResourceRef("prod", kind, id_),),
    )


def child(setting: Setting, kind: str, id_: str, fields: Mapping[str, Any]) -> Snapshot:
    """Read an object a moment ago."""
    item = {"id": id_, **fields}
    return Snapshot(
        ResourceRef("prod", kind, id_), None, None, None, item, setting.clock.now() - WINDOW
    )


ROUTER_PORT = {"device_id": "owner", "device_owner": "network:router_gateway"}
LISTED = [
    pytest.param(
        ("router", "router.delete.end", "port", "device_id"),
        ROUTER_PORT,
        ("/network/v2.0/ports", "ports"),
        id="ports of a router",
    ),
    pytest.param(
        ("network", "network.delete.end", "subnet", "network_id"),
        {"network_id": "owner"},
        ("/network/v2.0/subnets", "subnets"),
        id="subnets of a network",
    ),
    pytest.param(
        ("security_group", "security_group.delete.end", "security_group_rule", "security_group_id"),
        {"security_group_id": "owner"},
        ("/network/v2.0/security-group-rules", "security_group_rules"),
        id="rules of a group",
    ),
    pytest.param(
        ("volume", "volume.delete.end", "attachment", "volume_id"),
        {"volume_id": "owner"},
        ("/volume/v3/attachments/detail", "attachments"),
        id="attachments of a volume",
    ),
]


@pytest.mark.parametrize(("what", "fields", "where"), LISTED)
@pytest.mark.parametrize("known", [True, False])
async def test_a_list_under_way_when_its_owner_is_buried_brings_nothing_back(
    cloud: FakeCloud,
    setting: Setting,
    what: tuple[str, str, str, str],
    fields: dict[str, Any],
    where: tuple[str, str],
    *,
    known: bool,
) -> None:
    """Whether another of that owner was known by then or not: none of them is asked for again."""
    owner, end, kind, by = what
    path, collection = where
    if known:
        await setting.inventory.write([child(setting, kind, "known", fields)], CAUSE)

    async def overtaken(_: web.Request) -> web.StreamResponse:
        setting.clock.advance(MOMENT)
        await setting.intake.handle([deleted(owner, end)])
        shown = [{"id": id_, **fields} for id_ in ("known", "new")]
        return web.json_response({collection: shown})

    cloud.answers[path] = overtaken
    await setting.ask(target(kind, "owner", by))
    await setting.work_off()
    assert await setting.living(kind) == []
    assert await setting.waiting() == 0


async def test_a_page_of_a_full_pass_under_way_brings_nothing_back(
    cloud: FakeCloud, setting: Setting
) -> None:
    """The pass itself would not look for it: it has seen it."""

    async def overtaken(_: web.Request) -> web.StreamResponse:
        setting.clock.advance(MOMENT)
        await setting.intake.handle([deleted("router", "router.delete.end")])
        other = {"id": "other", "device_id": "another", "device_owner": "network:router_gateway"}
        return web.json_response({"ports": [{"id": "a", **ROUTER_PORT}, other]})

    cloud.answers["/network/v2.0/ports"] = overtaken
    setting.only("port")
    await setting.make_passes()
    assert await setting.living("port") == ["other"]


OWNED = [
    ("floating_ip", "floatingip.delete.end", "port",
     {"device_id": "owner", "device_owner": "network:floatingip"}),
    ("router", "router.delete.end", "port", ROUTER_PORT),
    ("network", "network.delete.end", "subnet", {"network_id": "owner"}),
    ("network", "network.delete.end", "port",
     {"network_id": "owner", "device_owner": "network:dhcp"}),
    ("security_group", "security_group.delete.end", "security_group_rule",
     {"security_group_id": "owner"}),
    ("volume", "volume.delete.end", "attachment", {"volume_id": "owner"}),
    ("stack", "orchestration.stack.delete.end", "stack_resource", {"stack_id": "owner"}),
    ("node", "baremetal.node.delete.end", "baremetal_port", {"node_uuid": "owner"}),
    ("load_balancer", "octavia.loadbalancer.delete.end", "listener",
     {"loadbalancers": [{"id": "owner"}]}),
    ("load_balancer", "octavia.loadbalancer.delete.end", "pool",
     {"loadbalancers": [{"id": "owner"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "end", "kind", "fields"), OWNED)
async def test_what_is_deleted_along_is_buried_without_a_read(
    setting: Setting, owner: str, end: str, kind: str, fields: dict[str, Any]
) -> None:
    others = {name: _another(value) for name, value in fields.items()}
    known = [child(setting, kind, "along", fields), child(setting, kind, "other", others)]
    await setting.inventory.write(known, CAUSE)
    await setting.intake.handle([deleted(owner, end)])
    assert await setting.living(kind) == ["other"]
    ref = ResourceRef("prod", kind, "along")
    (last,) = [one for one in await setting.inventory.changes(ref) if one.kind == "deleted"]
    assert last.cause == Cause(CauseKind.EVENT, "end of owner")
    assert (
        setting.counted("inventory_tombstones_total", cloud="prod", kind=kind, cause="event") == 1
    )


def _another(value: Any) -> Any:
    if value == "owner":
        return "another"
    return [{"id": "another"}] if isinstance(value, list) else value


async def test_what_is_below_a_load_balancer_goes_with_it_to_the_last_member(
    setting: Setting,
) -> None:
    balanced = {"loadbalancers": [{"id": "owner"}]}
    for one in (
        child(setting, "pool", "p", balanced),
        child(setting, "listener", "l", balanced),
        child(setting, "member", "p/m", {"pool_id": "p"}),
        child(setting, "health_monitor", "h", {"pools": [{"id": "p"}]}),
        child(setting, "l7_policy", "y", {"listener_id": "l"}),
    ):
        await setting.inventory.write([one], CAUSE)
    await setting.intake.handle([deleted("load_balancer", "octavia.loadbalancer.delete.end")])
    for kind in ("pool", "listener", "member", "health_monitor", "l7_policy"):
        assert await setting.living(kind) == []
    late = child(setting, "member", "p/late", {"pool_id": "p"})
    await setting.inventory.write([late], CAUSE)
    assert await setting.living("member") == []
    await setting.work_off()
    assert await setting.waiting() == 0


async def test_a_404_takes_along_what_the_object_owned(cloud: FakeCloud, setting: Setting) -> None:
    table = Table("networks", "network", [])
    cloud.answers["/network/v2.0/networks/owner"] = table.show
    known = child(setting, "network", "owner", {})
    await setting.inventory.write([known], CAUSE)
    subnets = [child(setting, "subnet", str(number), {"network_id": "owner"}) for number in (1, 2)]
    await setting.inventory.write(subnets, CAUSE)
    await setting.ask(target("network", "owner"))
    await setting.work_off()
    assert await setting.living("subnet") == []
    (*_, last) = await setting.inventory.changes(subnets[0].ref)
    assert (last.kind, last.cause.id) == (ChangeKind.DELETED, "event-of-owner")


async def test_a_port_that_moved_to_another_node_is_found_by_its_own_target(
    setting: Setting,
) -> None:
    """Its own event came before the end of the node that it had left; its read did not yet."""
    known = child(setting, "baremetal_port", "p", {"node_uuid": "owner"})
    await setting.inventory.write([known], CAUSE)
    await setting.ask(target("baremetal_port", "p"))
    await setting.intake.handle([deleted("node", "baremetal.node.delete.end")])
    assert await setting.waiting() == 1
    moved = ALL["baremetal_port"].snapshot(
        "prod", {"uuid": "p", "node_uuid": "n2"}, observed_at=setting.clock.now() + MOMENT
    )
    await setting.inventory.write([moved], CAUSE)
    assert await setting.living("baremetal_port") == ["p"]


@pytest.mark.parametrize("batches", [["gone+new"], ["gone", "new"], ["new", "gone"]])
@pytest.mark.parametrize(
    ("kind", "id_", "types"),
    [
        ("keypair", "u/k", ("keypair.delete.end", "keypair.create.end")),
        ("flavor", "f", ("flavor.delete", "flavor.create")),
    ],
)
async def test_what_takes_the_id_of_what_is_gone_is_read(
    setting: Setting, kind: str, id_: str, types: tuple[str, str], batches: list[str]
) -> None:
    """In one batch, or by two copies in any order: people choose the ids of these."""
    ref = ResourceRef("prod", kind, id_)
    await setting.inventory.write([Snapshot(ref, None, None, None, {}, NOON - WINDOW)], CAUSE)
    gone = event("e1", type=types[0], action=Action.DELETE, subjects=(ref,))
    new = event("e2", type=types[1], action=Action.CREATE, subjects=(ref,))
    by_name = {"gone": [gone], "new": [new], "gone+new": [gone, new]}
    for batch in batches:
        setting.clock.advance(MOMENT)
        await setting.intake.handle(by_name[batch])
    assert await setting.living(kind) == []
    setting.clock.advance(WINDOW)
    (claimed,) = await setting.worker.claim()
    assert claimed.target.ref == ref
