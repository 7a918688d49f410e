"""Targets are worked off: few calls, right rows, and every failure ends somewhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from shared.event import Action
from shared.openstack.breaker import BreakerRule
from shared.openstack.client import CloudClient
from shared.openstack.cloud import CloudConfig
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.dead_letters import LetterFilter
from shared.target import BY_KIND
from tests.support.clocks import FixedClock
from tests.support.fake_cloud import QUICK, FakeCloud, client_of
from tests.support.refresh import Table, target
from tests.support.refreshing import WINDOW, WINDOWS, Setting, port_event

PORTS = "/network/v2.0/ports"
AN_HOUR = timedelta(hours=1)


def serve(cloud: FakeCloud, *ports: Mapping[str, object]) -> Table:
    """Have Neutron know these ports."""
    table = Table("ports", "port", ports)
    cloud.answers[PORTS] = table.list
    for key in table.objects:
        cloud.answers[f"{PORTS}/{key}"] = table.show
    return table


async def test_a_thousand_updates_within_a_window_are_one_read_and_one_row(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    serve(cloud, {"id": "a", "status": "ACTIVE", "revision_number": 9})
    await setting.intake.handle([port_event(f"e{number}") for number in range(1000)])
    assert await setting.work_off() == 1
    assert client.calls["network"] == 1
    row = await setting.row("port", "a")
    assert row is not None
    assert (row.status, row.revision) == ("ACTIVE", 9)
    (change,) = await setting.inventory.changes(row.ref)
    assert change.cause == Cause(CauseKind.EVENT, "e999")
    assert await setting.waiting() == 0


async def test_fifty_ports_are_one_call(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    ports = [f"p{number:02}" for number in range(50)]
    serve(cloud, *({"id": port} for port in ports))
    await setting.intake.handle([port_event(f"e-{port}", port) for port in ports])
    assert await setting.work_off() == 50
    assert client.calls["network"] == 1
    assert await setting.living("port") == ports


async def test_a_404_buries_what_is_gone(cloud: FakeCloud, setting: Setting) -> None:
    table = serve(cloud, {"id": "a"})
    await setting.ask(target("port", "a"))
    await setting.work_off()
    table.objects.clear()
    await setting.ask(target("port", "a", cause="later"))
    await setting.work_off()
    assert await setting.living("port") == []
    changes = await setting.inventory.changes(ResourceRef("prod", "port", "a"))
    assert (changes[-1].kind, changes[-1].cause.id) == ("deleted", "later")


@pytest.mark.parametrize("status", [400, 401, 403, 409, 429, 500, 503])
async def test_no_other_failure_buries_anything(
    cloud: FakeCloud, setting: Setting, status: int
) -> None:
    serve(cloud, {"id": "a"})
    await setting.ask(target("port", "a"))
    await setting.work_off()
    cloud.answer(f"{PORTS}/a", {"error": {"message": "a"}}, status=status)
    await setting.ask(target("port", "a"))
    await setting.work_off()
    assert await setting.living("port") == ["a"]


async def test_a_read_that_began_before_the_delete_does_not_revive(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a"})

    async def overtaken(_: web.Request) -> web.StreamResponse:
        setting.clock.advance(timedelta(milliseconds=50))
        await setting.intake.handle([port_event("e2", action=Action.DELETE)])
        return web.json_response({"port": {"id": "a", "status": "ACTIVE"}})

    cloud.answers[f"{PORTS}/a"] = overtaken
    await setting.intake.handle([port_event("e1")])
    await setting.work_off()
    assert await setting.living("port") == []
    assert setting.counted("inventory_stale_writes_total", cloud="prod", kind="port") == 1


async def test_a_failing_target_waits_for_itself_alone(cloud: FakeCloud, setting: Setting) -> None:
    serve(cloud, {"id": "a"})
    cloud.answer("/compute/v2.1/servers/s", {}, status=503)
    await setting.ask(target("server", "s"), target("port", "a"))
    await setting.work_off()
    assert await setting.living("port") == ["a"]
    (waiting,) = await setting.targets.waiting()
    assert (waiting.kind, waiting.failing) == ("server", 1)


async def test_a_target_that_failed_is_tried_again_and_its_row_written(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.answer(f"{PORTS}/a", {}, status=503)
    await setting.ask(target("port", "a"))
    await setting.work_off()
    serve(cloud, {"id": "a"})
    assert await setting.work_off(AN_HOUR) == 1
    assert await setting.living("port") == ["a"]
    assert await setting.waiting() == 0


async def test_retry_after_is_waited_for(cloud: FakeCloud, setting: Setting) -> None:
    cloud.answer(f"{PORTS}/a", {}, status=429, headers={"Retry-After": "1800"})
    await setting.ask(target("port", "a"))
    await setting.work_off()
    assert await setting.work_off(timedelta(minutes=29)) == 0
    assert await setting.work_off(timedelta(minutes=2)) == 1


async def test_a_target_that_never_works_becomes_a_dead_letter(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.answer(f"{PORTS}/a", {"NeutronError": {"message": "broken"}}, status=503)
    await setting.ask(target("port", "a"))
    tries = 0
    while await setting.waiting():
        tries += await setting.work_off(AN_HOUR)
    assert tries == setting.worker.effort.attempts
    (kept,) = await setting.letters.find(LetterFilter(origin="refresher"))
    assert "503 broken" in kept.letter.reason
    assert b'"key":"a"' in kept.letter.body
    assert kept.letter.tries == tries
    assert kept.letter.first_at is not None
    assert kept.letter.first_at < kept.letter.at


async def test_a_refusal_that_nobody_can_mend_is_dead_at_once(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.answer(f"{PORTS}/a", {"NeutronError": {"message": "no such filter"}}, status=400)
    await setting.ask(target("port", "a"))
    await setting.work_off()
    assert await setting.waiting() == 0
    assert setting.counted("targets_dead_total", cloud="prod", kind="port") == 1


async def test_an_object_that_cannot_be_stored_dies_alone(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a"}, {"id": "b", "name": "nul \x00"}, {"id": "c"})
    await setting.ask(*(target("port", key) for key in "abc"))
    await setting.work_off()
    assert await setting.living("port") == ["a", "c"]
    (kept,) = await setting.letters.find(LetterFilter(origin="refresher"))
    assert kept.letter.reason.startswith("port/b: ")
    assert b'"kind":"port","id":"b"' in kept.letter.body
    assert await setting.waiting() == 0


async def test_a_target_of_a_kind_becomes_a_waiting_full_pass(setting: Setting) -> None:
    await setting.ask(target("port", "", BY_KIND, cause="e1"))
    await setting.work_off()
    (asked,) = await setting.full_passes.latest()
    assert (asked.kind, asked.asked_by, asked.state) == ("port", "e1", "waiting")
    assert await setting.waiting() == 0


async def test_targets_of_a_service_that_the_cloud_lacks_are_done_with(
    cloud: FakeCloud, setting: Setting
) -> None:
    cloud.services.discard("image")
    await setting.ask(target("image", "a"))
    await setting.work_off()
    assert await setting.waiting() == 0
    assert setting.counted("targets_unreadable_total", cloud="prod", kind="image") == 1


async def test_what_is_asked_for_during_its_read_is_read_again(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a"})

    async def overtaken(_: web.Request) -> web.StreamResponse:
        await setting.ask(target("port", "a"))
        return web.json_response({"port": {"id": "a"}})

    cloud.answers[f"{PORTS}/a"] = overtaken
    await setting.ask(target("port", "a"))
    claimed = await setting.worker.claim()
    await setting.worker.work(claimed)
    assert await setting.waiting() == 1


async def test_two_copies_never_hold_one_target(setting: Setting) -> None:
    await setting.ask(*(target("port", f"p{number}") for number in range(20)))
    async with asyncio.TaskGroup() as group:
        one = group.create_task(setting.worker.claim())
        two = group.create_task(setting.worker.claim())
    keys = [claim.target.key for claim in [*one.result(), *two.result()]]
    assert len(keys) == len(set(keys))


async def test_a_row_of_a_higher_revision_is_not_overwritten(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a", "status": "OLD", "revision_number": 3})
    newer = Snapshot(
        ResourceRef("prod", "port", "a"), None, None, "NEW", {"id": "a"}, setting.clock.now(), 4
    )
    await setting.inventory.write([newer], Cause(CauseKind.EVENT, "e"))
    await setting.ask(target("port", "a"))
    await setting.work_off()
    row = await setting.row("port", "a")
    assert row is not None
    assert row.status == "NEW"


async def test_a_port_that_left_its_router_without_an_event_is_found_gone(
    cloud: FakeCloud, setting: Setting
) -> None:
    table = serve(cloud, {"id": "a", "device_id": "r"}, {"id": "b", "device_id": "r"})
    await setting.ask(target("port", "r", "device_id"))
    await setting.work_off()
    assert await setting.living("port") == ["a", "b"]
    del table.objects["b"]
    await setting.ask(target("port", "r", "device_id", cause="e9"))
    await setting.work_off()
    assert await setting.living("port") == ["a"]
    changes = await setting.inventory.changes(ResourceRef("prod", "port", "b"))
    assert (changes[-1].kind, changes[-1].cause.id) == ("deleted", "e9")


async def test_a_port_that_comes_up_without_an_event_gets_one_second_look(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    table = serve(cloud, {"id": "a", "status": "DOWN", "device_owner": "compute:nova"})
    await setting.ask(target("port", "a"))
    await setting.work_off()
    table.objects["a"]["status"] = "ACTIVE"
    assert await setting.work_off(timedelta(seconds=10)) == 1
    row = await setting.row("port", "a")
    assert row is not None
    assert row.status == "ACTIVE"
    assert client.calls["network"] == 2


async def test_a_port_that_stays_down_is_not_looked_at_for_ever(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a", "status": "DOWN", "device_owner": "compute:nova"})
    await setting.ask(target("port", "a"))
    assert [await setting.work_off(after) for after in (WINDOW, AN_HOUR, AN_HOUR)] == [1, 1, 0]
    assert await setting.waiting() == 0


async def test_a_read_that_comes_late_is_a_second_look_itself(
    cloud: FakeCloud, setting: Setting
) -> None:
    serve(cloud, {"id": "a", "status": "DOWN", "device_owner": "compute:nova"})
    await setting.ask(target("port", "a"))
    assert [await setting.work_off(after) for after in (WINDOWS.second_look, AN_HOUR)] == [1, 0]
    assert await setting.waiting() == 0


async def test_a_kind_that_is_not_permitted_waits_and_loses_no_target(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    forbidden = {"NeutronError": {"message": "not you"}}
    for path in (PORTS, f"{PORTS}/a", f"{PORTS}/b"):
        cloud.answer(path, forbidden, status=403)
    await setting.ask(target("port", "a"), target("port", "b"))
    await setting.work_off()
    asked = client.calls["network"]
    await setting.ask(target("port", "c"))
    await setting.work_off()
    assert client.calls["network"] == asked, "the kind is left alone"
    assert await setting.waiting() == 3
    assert await setting.letters.find(LetterFilter(origin="refresher")) == []
    assert setting.counted("targets_postponed_total", cloud="prod", kind="port") == 3
    serve(cloud, {"id": "a"}, {"id": "b"}, {"id": "c"})
    await setting.work_off(timedelta(minutes=10))
    assert await setting.living("port") == ["a", "b", "c"]
    assert setting.worker.reader.objects.permits.denials() == {}


async def test_targets_of_a_service_that_is_left_alone_keep_their_budget(
    cloud: FakeCloud, config: CloudConfig, database: Database
) -> None:
    clock = FixedClock()
    limits = replace(QUICK, breaker=BreakerRule(failures=3))
    cloud.answer(f"{PORTS}/a", {"NeutronError": {"message": "busy"}}, status=503)
    async with client_of(config, limits=limits, clock=clock) as client:
        setting = Setting(database, client, clock)
        await setting.ask(target("port", "a"))
        await setting.work_off()
        await setting.ask(target("port", "b"))
        await setting.work_off()
        assert client.calls["network"] == 3, "the second target asked nobody"
        assert setting.counted("targets_failed_total", cloud="prod", kind="port") == 1
        assert setting.counted("targets_postponed_total", cloud="prod", kind="port") == 2
        serve(cloud, {"id": "a"}, {"id": "b"})
        await setting.work_off(AN_HOUR)
        assert await setting.living("port") == ["a", "b"]
        assert client.budgets()["network"].opened is None


async def test_a_target_that_alone_fails_ends_as_a_dead_letter_all_the_same(
    cloud: FakeCloud, config: CloudConfig, database: Database
) -> None:
    clock = FixedClock()
    limits = replace(QUICK, breaker=BreakerRule(failures=3))
    cloud.answer(f"{PORTS}/a", {"NeutronError": {"message": "busy"}}, status=503)
    async with client_of(config, limits=limits, clock=clock) as client:
        setting = Setting(database, client, clock)
        await setting.ask(target("port", "a"))
        for _ in range(100):
            await setting.work_off(AN_HOUR)
        assert await setting.waiting() == 0
        assert setting.counted("targets_dead_total", cloud="prod", kind="port") == 1


async def test_urgent_kinds_go_first_and_the_longest_waiting_next(setting: Setting) -> None:
    await setting.ask(*(target("network", f"n{number}") for number in range(3)))
    setting.clock.advance(timedelta(seconds=1))
    await setting.ask(target("server", "s"))
    first, second = await setting.worker.claim(), await setting.worker.claim()
    assert [claim.target.kind for claim in first] == ["server"]
    assert [claim.target.kind for claim in second] == ["network"] * 3


async def test_a_list_of_a_servers_ports_answers_their_own_targets(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    serve(cloud, {"id": "a", "device_id": "s"}, {"id": "b", "device_id": "s"})
    await setting.targets.ask([target("port", "a")], now=setting.clock.now(), merge_window=AN_HOUR)
    await setting.ask(target("port", "s", "device_id"))
    await setting.work_off()
    assert client.calls["network"] == 1
    assert await setting.living("port") == ["a", "b"]
    assert await setting.waiting() == 0


async def test_a_list_of_changes_answers_servers_that_wait_for_their_window(
    cloud: FakeCloud, client: CloudClient, setting: Setting
) -> None:
    servers = [{"id": id_, "status": "ACTIVE", "name": f"vm-{id_}"} for id_ in "abcdef"]
    cloud.answer("/compute/v2.1/servers/detail", {"servers": servers})
    await setting.ask(*(target("server", id_) for id_ in "abcd"))
    await setting.targets.ask(
        [target("server", "e", cause="event-of-e")], now=setting.clock.now(), merge_window=AN_HOUR
    )
    await setting.work_off()
    assert client.calls["compute"] == 1
    assert await setting.waiting() == 0
    assert await setting.living("server") == ["a", "b", "c", "d", "e"], "f has no cause"
    (change,) = await setting.inventory.changes(ResourceRef("prod", "server", "e"))
    assert change.cause.id == "event-of-e"


@pytest.mark.parametrize(("status", "looks"), [("SHUTOFF", 0), ("ACTIVE", 1)])
async def test_ports_of_a_server_that_is_off_are_where_they_stay(
    cloud: FakeCloud, setting: Setting, status: str, looks: int
) -> None:
    ref = ResourceRef("prod", "server", "s")
    known = Snapshot(ref, None, None, status, {"id": "s"}, setting.clock.now())
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))
    down = {"id": "a", "status": "DOWN", "device_owner": "compute:nova", "device_id": "s"}
    serve(cloud, down)

    await setting.ask(target("port", "a"))
    await setting.work_off()

    assert await setting.waiting() == looks


@pytest.mark.parametrize(("kind", "path"), [("hypervisor", "h"), ("server_group", "g")])
async def test_what_breaks_down_over_a_cell_that_is_down_loses_no_try(
    cloud: FakeCloud, setting: Setting, kind: str, path: str
) -> None:
    compute = "/compute/v2.1"
    item = {"hypervisor": "os-hypervisors", "server_group": "os-server-groups"}[kind]
    broken = {"computeFault": {"message": "DBConnectionError"}}
    cloud.answer(f"{compute}/{item}/{path}", broken, status=500)
    far = {"binary": "nova-compute", "host": "far", "status": "UNKNOWN"}
    cloud.answer(f"{compute}/os-services", {"services": [far]})
    await setting.ask(target(kind, path))
    for _ in range(25):
        await setting.work_off(AN_HOUR)
    assert await setting.waiting() == 1
    assert setting.counted("targets_failed_total", cloud="prod", kind=kind) == 0
    assert setting.counted("targets_postponed_total", cloud="prod", kind=kind) == 25

    cloud.answer(f"{compute}/{item}/{path}", {kind: {"id": path}})
    await setting.work_off(AN_HOUR)
    assert await setting.living(kind) == [path]
