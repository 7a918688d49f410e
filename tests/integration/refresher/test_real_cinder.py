"""The readers' requests on the real Cinder."""

from collections.abc import Iterator

import pytest

from services.refresher.attaching import attachments_told
from services.refresher.planner import Form, plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.block_storage import attachments_of
from services.refresher.telling import FRESH
from shared.event import Action
from shared.links import links_of
from shared.resource import Kind
from tests.support.notifications import event_of
from tests.support.openstack import cinder as made_by
from tests.support.openstack.asking import CLOCK, NOWHERE, client, listed, objects_of, read
from tests.support.openstack.cinder import ELSEWHERE, Cinder, real_cinder
from tests.support.openstack.hearing import events_in
from tests.support.openstack.promises import Batches, Filters, Markers, Promises
from tests.support.openstack.suite import MARKS, World
from tests.support.refresh import claims

pytestmark = MARKS


@pytest.fixture(scope="module")
def cinder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinder]:
    """A Cinder with some of everything."""
    with real_cinder(tmp_path_factory.mktemp("cinder")) as cinder:
        yield cinder


@pytest.fixture(scope="module")
def world(cinder: Cinder) -> World:
    ids = {kind: frozenset(of_kind) for kind, of_kind in cinder.made.items()}
    return World(cinder.keystone, cinder.notifications, ids, cinder.make, cinder.remove)


class TestCinder(Promises, Markers, Batches, Filters):
    KINDS = made_by.KINDS

    async def test_volumes_are_asked_for_by_a_list_of_ids(
        self, cinder: Cinder, reader: Reader
    ) -> None:
        ids = cinder.ours

        found = await read(reader, Kind.VOLUME, *ids)

        assert [one.form for one in plan(claims(Kind.VOLUME, *ids), ALL).reads] == [Form.FILTER]
        assert objects_of(found).keys() == set(ids)
        assert reader.lessons.no_id_lists == set()

    async def test_a_member_is_shown_volumes_one_by_one(self, cinder: Cinder) -> None:
        async with client(cinder.keystone, "member", cinder.home) as opened:
            member = Reader(opened, clock=CLOCK)
            found = await read(member, Kind.VOLUME, *cinder.ours, cinder.theirs)
            everything = await listed(member, ALL[Kind.VOLUME])

        assert member.lessons.no_id_lists == {Kind.VOLUME}
        assert objects_of(found).keys() == set(cinder.ours)
        assert everything.keys() >= set(cinder.ours)
        assert cinder.theirs not in everything

    async def test_a_member_sees_their_own_project(self, cinder: Cinder, kind: Kind) -> None:
        async with client(cinder.keystone, "member", cinder.home) as opened:
            assert await listed(Reader(opened, clock=CLOCK), ALL[kind])

    async def test_volumes_of_every_project_tell_whose_they_are(
        self, cinder: Cinder, reader: Reader
    ) -> None:
        ours, theirs = cinder.ours[0], cinder.theirs

        found = (await read(reader, Kind.VOLUME, ours, theirs)).snapshots

        assert {one.ref.id: one.project for one in found} == {
            ours: cinder.keystone.project_id(),
            theirs: ELSEWHERE,
        }

    async def test_a_volume_shows_what_works_of_its_attachments(
        self, cinder: Cinder, reader: Reader
    ) -> None:
        works = cinder.make(Kind.ATTACHMENT)
        cinder.attach(works)
        attachment = objects_of(await read(reader, Kind.ATTACHMENT, works))[works]

        volume = attachment["volume_id"]
        shown = objects_of(await read(reader, Kind.VOLUME, volume))[volume]

        assert attachments_of(shown) == {works}
        assert ("server", attachment["instance"]) in {
            (link.name, link.key) for link in links_of(Kind.VOLUME, shown)
        }
        assert shown == (await listed(reader, ALL[Kind.VOLUME]))[volume]

    async def test_an_attach_event_tells_what_the_api_shows(
        self, cinder: Cinder, reader: Reader
    ) -> None:
        volume = cinder.make(Kind.VOLUME)
        attachment = cinder.make(Kind.ATTACHMENT, of=volume)
        cinder.attach(attachment)

        event = event_of(cinder.notify("attach.end", volume), received_at=CLOCK.now())
        told = attachments_told(event, now=CLOCK.now(), fresh=FRESH)
        shown = objects_of(await read(reader, Kind.ATTACHMENT, attachment))

        assert told is not None
        assert (told.volume.id, told.detached, set(told.listed)) == (volume, False, {attachment})
        assert {one.ref.id: dict(one.object) for one in told.told} == shown

    async def test_the_end_of_a_delete_is_told(self, cinder: Cinder) -> None:
        volume = cinder.make(Kind.VOLUME)
        cinder.remove(Kind.VOLUME, volume)

        events = events_in(cinder.notifications)
        told = [(one.type, one.action) for one in events if one.subjects[0].id == volume]

        assert told[-1] == ("volume.delete.end", Action.DELETE)

    async def test_metadata_of_the_image_is_shown_by_lists_and_reads(
        self, cinder: Cinder, reader: Reader
    ) -> None:
        volume = cinder.ours[0]
        body = {"os-set_image_metadata": {"metadata": {"image_id": NOWHERE}}}
        cinder.api.call(f"volumes/{volume}/action", body)

        shown = objects_of(await read(reader, Kind.VOLUME, volume))[volume]

        assert shown == (await listed(reader, ALL[Kind.VOLUME]))[volume]
        assert ("image", NOWHERE) in {(x.name, x.key) for x in links_of(Kind.VOLUME, shown)}


class TestCinderWithoutFilters:
    """One whose `resource_filters.json` is not installed."""

    @pytest.fixture(scope="class")
    def bare(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinder]:
        with real_cinder(tmp_path_factory.mktemp("bare"), filters=False) as cinder:
            yield cinder

    async def test_a_member_sees_their_own_project(self, bare: Cinder) -> None:
        async with client(bare.keystone, "member", bare.home) as opened:
            member = Reader(opened, clock=CLOCK)
            shown = {kind: await listed(member, ALL[kind]) for kind in made_by.KINDS}
            assert all(shown.values())

        types = shown[Kind.VOLUME_TYPE].values()
        assert {one["is_public"] for one in types} == {True}
        assert bare.theirs not in shown[Kind.VOLUME]
        assert member.objects.permits.denials() == {}

    async def test_a_member_is_shown_what_a_volume_has(self, bare: Cinder) -> None:
        volumes = bare.made[Kind.VOLUME][:2]
        async with client(bare.keystone, "member", bare.home) as opened:
            member = Reader(opened, clock=CLOCK)
            for kind in (Kind.SNAPSHOT, Kind.BACKUP, Kind.ATTACHMENT):
                for _ in range(2):
                    found = await read(member, kind, *volumes, by="volume_id")
                    assert objects_of(found).keys() == set(bare.made[kind]), kind
                    assert found.failed == [], kind
        assert member.lessons.no_filters == {
            (kind, "volume_id") for kind in (Kind.SNAPSHOT, Kind.BACKUP, Kind.ATTACHMENT)
        }

    async def test_an_administrator_sees_everything(self, bare: Cinder) -> None:
        async with client(bare.keystone, "admin", bare.home) as opened:
            admin = Reader(opened, clock=CLOCK)
            for kind in made_by.KINDS:
                assert (await listed(admin, ALL[kind])).keys() >= set(bare.made[kind])
