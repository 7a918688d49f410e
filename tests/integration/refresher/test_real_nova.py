"""The readers' requests on the real Nova: lists whole and paged, single reads, what is gone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.refresher.listing import Listing
from services.refresher.planner import SKEW, Form, plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.server_payload import SERVER_FOR_ADMINS
from services.refresher.telling import told
from shared.catalogue.load import builtin
from shared.errors import CloudInPart, CloudRefused
from shared.event import Flavour
from shared.links import links_of
from shared.openstack.paging import Params
from shared.resource import Kind
from shared.store.database import Database
from shared.store.passes import PassState, Place
from tests.support.clocks import FixedClock
from tests.support.notifications import event_of
from tests.support.openstack.asking import (
    CLOCK,
    NOWHERE,
    client,
    in_pages_of,
    listed,
    objects_of,
    pages,
    read,
    read_claims,
)
from tests.support.openstack.nova import ELSEWHERE, MADE, PUBLIC_KEY, Nova, real_nova
from tests.support.refresh import claims, target
from tests.support.refreshing import Setting

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("real openstack"),
    pytest.mark.timeout(600),
    # keystoneauth1 warns of what it is going to change in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

KINDS = (
    Kind.SERVER,
    Kind.FLAVOR,
    Kind.KEYPAIR,
    Kind.AGGREGATE,
    Kind.SERVER_GROUP,
    Kind.HYPERVISOR,
    Kind.COMPUTE_SERVICE,
    Kind.AVAILABILITY_ZONE,
)
PAGED = (Kind.SERVER, Kind.FLAVOR, Kind.KEYPAIR, Kind.SERVER_GROUP, Kind.HYPERVISOR)
VOUCHED = (Kind.COMPUTE_SERVICE, Kind.AVAILABILITY_ZONE)
READ_ALONE = tuple(kind for kind in KINDS if ALL[kind].item_path is not None)


@pytest.fixture(scope="module")
def nova(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nova]:
    with real_nova(tmp_path_factory.mktemp("nova")) as nova:
        yield nova


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(nova: Nova) -> AsyncIterator[Reader]:
    async with client(nova.keystone, "admin", nova.home) as admin:
        yield Reader(admin, clock=CLOCK)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_shows_everything_of_every_project(reader: Reader, kind: Kind) -> None:
    found = await listed(reader, ALL[kind])

    names = {item[ALL[kind].name_field] for item in found.values()}
    expected = {
        Kind.HYPERVISOR: {f"host-{number}.example.org" for number in range(MADE)},
        Kind.COMPUTE_SERVICE: {"nova-compute", "nova-conductor"},
        Kind.AVAILABILITY_ZONE: {"nova", "internal"},
    }.get(kind, {f"{kind}-{number}" for number in range(MADE)})
    assert expected <= names


@pytest.mark.parametrize("kind", PAGED)
async def test_pages_of_two_show_the_same_as_one_list(reader: Reader, kind: Kind) -> None:
    small = in_pages_of(2, ALL[kind])

    assert len(await pages(reader, small)) > MADE // 2
    assert await listed(reader, small) == await listed(reader, ALL[kind])


@pytest.mark.parametrize("kind", READ_ALONE)
async def test_a_read_by_id_shows_what_the_list_shows(reader: Reader, kind: Kind) -> None:
    shown = await listed(reader, ALL[kind])

    found = await read(reader, kind, *list(shown)[:2])

    assert objects_of(found) == {id_: shown[id_] for id_ in list(shown)[:2]}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_not_there_is_gone(reader: Reader, kind: Kind) -> None:
    missing = {Kind.AGGREGATE: "999", Kind.KEYPAIR: f"{NOWHERE}/missing"}.get(kind, NOWHERE)

    found = await read(reader, kind, missing)

    assert ([ref.id for ref in found.gone], found.failed) == ([missing], [])


@pytest.mark.parametrize("kind", READ_ALONE)
async def test_an_unknown_path_deletes_nothing(reader: Reader, kind: Kind) -> None:
    elsewhere = replace(ALL[kind], item_path="os-unknown", item_address=None)
    key = f"{NOWHERE}/missing" if kind is Kind.KEYPAIR else NOWHERE
    (planned,) = plan(claims(kind, key), {kind: elsewhere}).reads

    found = await reader.read(planned)

    [(_, error)] = found.failed
    assert (found.gone, error.status) == ({}, 404)


async def test_a_server_is_understood(reader: Reader, nova: Nova) -> None:
    server = nova.add_server("understood")

    (snapshot,) = (await read(reader, Kind.SERVER, server)).snapshots

    assert (snapshot.name, snapshot.status, snapshot.project) == (
        "understood",
        "ACTIVE",
        nova.keystone.project_id(),
    )
    user = nova.keystone.user_id("admin")
    links = {(link.name, link.key) for link in links_of(Kind.SERVER, snapshot.object)}
    assert links > {
        ("user", user),
        ("keypair", f"{user}/key-0"),
        ("flavor", "flavor-0"),
        ("hypervisor", "host-0.example.org"),
        ("availability_zone", "nova"),
    }


async def test_changes_since_tell_what_changed_and_what_was_deleted(
    reader: Reader, nova: Nova
) -> None:
    nova.add_lost_host("lost")
    gone, renamed = (nova.add_server(name, host="lost") for name in ("gone", "renamed"))
    nova.api.call(f"servers/{gone}", method="DELETE")
    nova.api.call(f"servers/{renamed}", {"server": {"name": "anew"}}, method="PUT")
    others = [id_ for id_ in await listed(reader, ALL[Kind.SERVER]) if id_ != renamed][:3]

    claimed = claims(Kind.SERVER, gone, renamed, *others, at=CLOCK.now())
    found = await read_claims(reader, claimed)

    assert [one.form for one in plan(claimed, ALL).reads] == [Form.SINCE]
    assert ([ref.id for ref in found.gone], found.failed) == ([gone], [])
    assert objects_of(found).keys() == {renamed, *others}
    assert objects_of(found)[renamed]["name"] == "anew"


async def test_changes_since_are_told_to_the_second(reader: Reader, nova: Nova) -> None:
    server = nova.add_server("to the second")
    updated = datetime.fromisoformat((await shown(reader, server))["updated"])

    for later, expected in ((0, True), (1, False)):
        at = updated + SKEW + timedelta(seconds=later)
        (planned,) = plan(claims(Kind.SERVER, server, "b", "c", "d", at=at), ALL).reads
        assert planned.form is Form.SINCE
        found = await ids(reader, Kind.SERVER, planned.params)
        assert (server in found) is expected


async def test_a_pass_goes_on_after_servers_that_were_deleted(reader: Reader, nova: Nova) -> None:
    nova.add_lost_host("emptied")
    first = list(await listed(reader, ALL[Kind.SERVER]))
    marker = nova.add_server("marker", host="emptied")
    nova.api.call(f"servers/{marker}", method="DELETE")

    assert await rest_after(reader, Kind.SERVER, marker) == first


@pytest.mark.parametrize("kind", [Kind.FLAVOR, Kind.HYPERVISOR])
async def test_a_pass_goes_on_after_one_before_a_marker_that_is_gone(
    reader: Reader, kind: Kind
) -> None:
    everything = list(await listed(reader, ALL[kind]))

    assert await rest_after(reader, kind, NOWHERE, everything[1]) == everything[2:]


async def test_a_flavor_that_is_deleted_is_no_marker(reader: Reader, nova: Nova) -> None:
    flavor = {"id": "passing", "name": "passing", "ram": 64, "vcpus": 1, "disk": 1}
    nova.api.call("flavors", {"flavor": flavor})
    nova.api.call("flavors/passing", method="DELETE")

    with pytest.raises(CloudRefused, match="marker"):
        await ids(reader, Kind.FLAVOR, (("marker", "passing"),))


async def test_what_is_in_a_cell_that_is_down_is_not_gone(reader: Reader, nova: Nova) -> None:
    server = far_server(nova, "far")
    services = await listed(reader, ALL[Kind.COMPUTE_SERVICE])
    near = next(id_ for id_, one in services.items() if one["host"] == "host-0")
    assert "far" in await listed(reader, ALL[Kind.AVAILABILITY_ZONE])

    with nova.cell_down("cell2"):
        in_lists = await listed(reader, ALL[Kind.SERVER])
        found = await read(reader, Kind.SERVER, server)
        found.add(await read(reader, Kind.COMPUTE_SERVICE, NOWHERE, near))
        found.add(await read(reader, Kind.AVAILABILITY_ZONE, "far", "nova"))
        hypervisors = await read(reader, Kind.HYPERVISOR, NOWHERE)

    # Nova leaves them out of lists in pages, and shows the others in part.
    assert server not in in_lists
    why = [str(error) for _, error in found.failed]
    assert "cannot be seen whole: UNKNOWN" in why[0]
    assert ["is shown in part only" in each for each in why] == [False, True, False, False]
    assert ["in a part of compute that is down" in each for each in why[2:]] == [True, True]
    assert {type(error) for _, error in found.failed} == {CloudInPart}
    assert objects_of(found) == {near: services[near]}
    assert (found.gone, [ref.id for ref in found.seen]) == ({}, [server])
    # Whether one is in there Nova does not say at all: it breaks down.
    assert hypervisors.gone == {}
    assert [type(error) for _, error in hypervisors.failed] == [CloudInPart]
    assert reader.objects.cut_off == {Kind.COMPUTE_SERVICE, Kind.AVAILABILITY_ZONE}
    await listed(reader, ALL[Kind.AVAILABILITY_ZONE])
    assert reader.objects.cut_off == set()


@pytest.mark.asyncio(loop_scope="function")
async def test_rows_of_a_cell_that_is_down_stay_as_they_were_and_are_read_when_it_is_back(
    nova: Nova, database: Database
) -> None:
    server, kinds = far_server(nova, "down"), (Kind.SERVER, *VOUCHED)
    async with client(nova.keystone, "admin", nova.home) as opened:
        setting = Setting(database, opened, FixedClock(CLOCK.now()))
        setting.only(*kinds)
        await setting.make_passes()
        before = {kind: await rows(setting, kind) for kind in kinds}
        nova.api.call(f"servers/{server}", {"server": {"name": "anew"}}, method="PUT")

        with nova.cell_down("cell2"):
            setting.clock.advance(timedelta(days=1))
            await setting.make_passes()
            # What the passes did not see is asked about; a server by an event besides.
            await setting.work_off()
            of_passes = await setting.waiting()
            await setting.ask(target(Kind.SERVER, server))
            await setting.work_off()
            during = {kind: await rows(setting, kind) for kind in kinds}
            (waits,) = await setting.targets.waiting()
        passes = {one.kind: one.state for one in await setting.full_passes.latest()}
        await setting.work_off(timedelta(minutes=5))

    assert during == before
    assert passes == {
        Kind.SERVER: PassState.DONE,
        Kind.COMPUTE_SERVICE: PassState.DONE,
        Kind.AVAILABILITY_ZONE: PassState.FAILED,
    }
    assert (of_passes, waits.kind, waits.count) == (0, Kind.SERVER, 1)
    assert setting.counted("targets_failed_total", cloud="prod", kind=Kind.SERVER) == 0
    row = await setting.row(Kind.SERVER, server)
    assert row is not None
    assert row.name == "anew"


async def test_key_pairs_are_those_of_the_user_asked_for(reader: Reader, nova: Nova) -> None:
    member = nova.keystone.user_id("member")
    nova.api.call(
        "os-keypairs",
        {"keypair": {"name": "theirs", "type": "ssh", "public_key": PUBLIC_KEY, "user_id": member}},
    )

    found = await read(reader, Kind.KEYPAIR, member, by="user_id")

    assert objects_of(found).keys() == {f"{member}/theirs"}


async def test_a_malformed_id_deletes_nothing(reader: Reader) -> None:
    for kind in (Kind.AGGREGATE, Kind.HYPERVISOR):
        found = await read(reader, kind, "no such")
        [(_, error)] = found.failed
        assert (found.gone, error.status) == ({}, 400)


async def test_a_microversion_is_one_that_nova_has(reader: Reader) -> None:
    flavor = ALL[Kind.FLAVOR]

    assert await listed(reader, replace(flavor, microversion=(2, 9999)))
    assert await reader.objects.has(replace(flavor, oldest=(2, 70)))
    assert not await reader.objects.has(replace(flavor, oldest=(2, 9999)))


async def test_a_member_sees_what_policy_shows(nova: Nova) -> None:
    shown: dict[Kind, int] = {}
    async with client(nova.keystone, "member", nova.home) as opened:
        member = Reader(opened, clock=CLOCK)
        for kind in set(KINDS) - {Kind.KEYPAIR, Kind.SERVER}:
            with suppress(CloudRefused):
                shown[kind] = len(await listed(member, ALL[kind]))

    assert shown == {Kind.FLAVOR: MADE - 1, Kind.SERVER_GROUP: MADE}
    denied = set(KINDS) - {Kind.KEYPAIR, Kind.SERVER, *shown}
    assert member.objects.permits.denials().keys() == denied
    assert member.objects.scope.narrow == {Kind.SERVER_GROUP}


async def test_a_member_sees_their_own_key_pairs(nova: Nova) -> None:
    user = nova.keystone.user_id("member")
    made = {"name": "mine", "type": "ssh", "public_key": PUBLIC_KEY, "user_id": user}
    nova.api.call("os-keypairs", {"keypair": made})
    somebody = nova.keystone.user_id("admin")

    async with client(nova.keystone, "member", nova.home) as opened:
        member = Reader(opened, clock=CLOCK)
        own = await listed(member, ALL[Kind.KEYPAIR])
        alone = await read(member, Kind.KEYPAIR, f"{user}/mine", f"{user}/no-such")
        others = await read(member, Kind.KEYPAIR, f"{somebody}/key-0")

    # Whose key pairs there are, Keystone does not tell members.
    assert member.objects.permits.denials().keys() == {Kind.USER}
    assert {id_.partition("/")[0] for id_ in own} == {user}
    assert objects_of(alone) == {f"{user}/mine": own[f"{user}/mine"]}
    assert [ref.id for ref in alone.gone] == [f"{user}/no-such"]
    assert (others.gone, [error.status for _, error in others.failed]) == ({}, [403])


async def test_a_member_sees_the_servers_of_their_project(reader: Reader, nova: Nova) -> None:
    nova.add_lost_host("a member's")
    gone, ours = (nova.add_server(name, host="a member's") for name in ("gone", "ours"))
    theirs = nova.add_server("theirs", project=ELSEWHERE)
    nova.api.call(f"servers/{gone}", method="DELETE")
    everything = await listed(reader, ALL[Kind.SERVER])
    project = nova.keystone.project_id()
    in_project = {id_ for id_, item in everything.items() if item["tenant_id"] == project}

    async with client(nova.keystone, "member", nova.home) as opened:
        member = Reader(opened, clock=CLOCK)
        in_pages = await listed(member, in_pages_of(2, ALL[Kind.SERVER]))
        claimed = claims(Kind.SERVER, gone, ours, theirs, at=CLOCK.now())
        together = await read_claims(member, claimed)
        alone = [await read(member, Kind.SERVER, id_) for id_ in (gone, ours, theirs)]

    assert in_pages.keys() == in_project
    assert [one.form for one in plan(claimed, ALL).reads] == [Form.SINCE]
    assert ([ref.id for ref in together.gone], together.failed) == ([gone], [])
    assert objects_of(together).keys() == {ours}
    assert [ref.id for ref in together.doubted] == [theirs]
    assert [[ref.id for ref in one.doubted] for one in alone] == [[gone], [], [theirs]]
    assert objects_of(alone[1]) == {ours: in_pages[ours]}
    assert everything[ours].keys() - in_pages[ours].keys() >= SERVER_FOR_ADMINS
    assert member.objects.scope.narrow == {Kind.SERVER}
    assert member.objects.permits.denials() == {}


@pytest.mark.asyncio(loop_scope="function")
async def test_what_a_member_is_not_shown_stays(nova: Nova, database: Database) -> None:
    nova.add_lost_host("staying")
    gone, ours = (nova.add_server(name, host="staying") for name in ("gone", "ours"))
    theirs = nova.add_server("theirs", project=ELSEWHERE)
    async with client(nova.keystone, "admin", nova.home) as opened:
        before = Setting(database, opened, FixedClock(CLOCK.now()))
        before.only(Kind.SERVER)
        await before.make_passes()
        known = set(await before.living(Kind.SERVER))
    nova.api.call(f"servers/{gone}", method="DELETE")

    async with client(nova.keystone, "member", nova.home) as opened:
        tomorrow = FixedClock(CLOCK.now() + timedelta(days=1))
        setting = Setting(database, opened, tomorrow, seed=3)
        setting.only(Kind.SERVER)
        await setting.make_passes()
        await setting.ask(target(Kind.SERVER, theirs), target(Kind.SERVER, ours))
        await setting.work_off()
        # Its addresses are behind what Neutron would tell: it gets a second look.
        await setting.work_off(timedelta(minutes=1))

    assert known > {gone, ours, theirs}
    assert set(await setting.living(Kind.SERVER)) == known - {gone}
    assert await setting.waiting() == 0
    assert [one.state for one in await setting.full_passes.latest()] == [PassState.DONE]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"server": {"name": "renamed by a deed"}}),
        ("/metadata", {"metadata": {"tier": "web"}}),
        ("/action", {"lock": {}}),
        ("/action", {"pause": None}),
        ("/action", {"os-resetState": {"state": "error"}}),
    ],
)
async def test_what_notifications_tell_is_what_the_api_shows(
    reader: Reader, nova: Nova, path: str, body: dict[str, Any]
) -> None:
    server = nova.add_server("told")
    before = len(nova.notifications())
    nova.api.call(f"servers/{server}{path}", body, method="" if path else "PUT")

    events = [event_of(one, received_at=CLOCK.now()) for one in nova.notifications()[before:]]
    found = [one for event in events for one in told(event, builtin(), ALL, now=CLOCK.now())]
    item = await shown(reader, server)

    assert {event.flavour for event in events} == {Flavour.LEGACY, Flavour.VERSIONED}
    assert {one.ref.id for one in found} == {server}
    for flavour in (Flavour.LEGACY, Flavour.VERSIONED):
        (*_, last) = [e for e in events if e.flavour is flavour]
        (one,) = told(last, builtin(), ALL, now=CLOCK.now())
        known = one.snapshot.object
        assert {name: item[name] for name in known} == known


async def shown(reader: Reader, server: str) -> dict[str, Any]:
    """Return a server as a read of it shows it."""
    return objects_of(await read(reader, Kind.SERVER, server))[server]


async def ids(reader: Reader, kind: Kind, params: Params) -> set[str]:
    """Return the ids that a list shows when it is asked with `params`."""
    pages = reader.objects.pages(ALL[kind], params)
    return {str(ALL[kind].id_of(item)) async for page in pages for item in page.items}


async def rest_after(reader: Reader, kind: Kind, *markers: str) -> list[str]:
    """Return the ids that a pass sees that was left after `markers`, the latest first."""
    listing = Listing(reader.objects, in_pages_of(2, ALL[kind]), CLOCK)
    place = Place(CLOCK.now(), 0, markers)
    return [
        str(ALL[kind].id_of(item))
        async for listed in listing.pages(place)
        for item in listed.page.items
    ]


def far_server(nova: Nova, host: str) -> str:
    """Make a server in the cell that tests take down, on a host of a zone of its own."""
    zone = {"name": host, "availability_zone": host}
    made = nova.api.call("os-aggregates", {"aggregate": zone})["aggregate"]
    nova.filling.call("host", {"name": host, "cell": "cell2"})
    nova.api.call(f"os-aggregates/{made['id']}/action", {"add_host": {"host": host}})
    return nova.add_server(host, host=host, cell="cell2")


async def rows(setting: Setting, kind: Kind) -> dict[str, Any]:
    """Return what the inventory knows of a kind, by id."""
    return {row.ref.id: dict(row.object or {}) for row in await setting.inventory.find(kind)}
