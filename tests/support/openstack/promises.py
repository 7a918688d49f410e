"""What a kind's `Resource` promises, asked of the real service: one suite for all of them.

A test module has a subclass of `Promises`, and of the other suites that fit, with its KINDS, and a
fixture `world` of the scope of the module.
"""

from collections.abc import Mapping, Sized
from dataclasses import replace
from pathlib import Path

import pytest

from services.refresher.listing import Listing
from services.refresher.planner import filter_params, plan
from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.model import Life
from shared.store.database import Database
from shared.store.passes import Place
from tests.support.openstack.asking import (
    CLOCK,
    NOWHERE,
    client,
    in_pages_of,
    listed,
    objects_of,
    pages,
    read,
)
from tests.support.openstack.hearing import Hearing, differences
from tests.support.openstack.suite import (
    Suite,
    World,
    about,
    asked_for_by_ids,
    follows_markers,
    paged,
    read_alone,
)
from tests.support.refresh import claims

MANY = 400


def having(by_kind: Mapping[str, Sized]) -> dict[str, Sized]:
    """Return the kinds that have something."""
    return {kind: found for kind, found in by_kind.items() if len(found)}


class Promises(Suite):
    """Of every service."""

    async def test_the_cloud_is_found_to_have_the_kind(self, reader: Reader, kind: str) -> None:
        assert await reader.objects.has(ALL[kind])

    async def test_a_list_shows_everything_of_every_project(
        self, world: World, reader: Reader, kind: str
    ) -> None:
        assert world.made[kind] <= (await listed(reader, ALL[kind])).keys()

    @about(paged)
    async def test_pages_of_two_show_the_same_as_one_list(self, reader: Reader, kind: str) -> None:
        small = in_pages_of(2, ALL[kind])

        whole = await listed(reader, ALL[kind])

        assert len(await pages(reader, small)) > len(whole) // 2 - 1
        assert await listed(reader, small) == whole

    async def test_a_read_by_id_shows_what_the_list_shows(
        self, world: World, reader: Reader, kind: str
    ) -> None:
        shown = await listed(reader, ALL[kind])

        for id_ in sorted(world.made[kind]):
            found = objects_of(await read(reader, kind, id_))

            assert found.keys() == {id_}
            assert differences(found[id_], shown[id_]) == {}

    async def test_of_some_ids_those_are_found_that_are_there(
        self, world: World, reader: Reader, kind: str
    ) -> None:
        two, missing = sorted(world.made[kind])[:2], self.MISSING.get(kind, NOWHERE)

        found = await read(reader, kind, *two, missing)

        gone = [ref.id for ref in found.gone]
        assert (sorted(objects_of(found)), gone, found.failed) == (two, [missing], [])
        assert kind not in reader.lessons.no_id_lists, "the list was asked by ids"

    @about(read_alone)
    async def test_a_404_of_an_unknown_path_deletes_nothing(
        self, reader: Reader, kind: str
    ) -> None:
        elsewhere = replace(ALL[kind], item_path="no-such-path", item_address=None)
        missing = claims(kind, self.MISSING.get(kind, NOWHERE))
        (planned,) = plan(missing, {kind: elsewhere}).reads

        found = await reader.read(planned)

        [(_, error)] = found.failed
        assert (found.gone, error.status) == ({}, 404)

    async def test_an_object_tells_what_it_is(self, reader: Reader, kind: str) -> None:
        resource = ALL[kind]
        for item in (await listed(reader, resource)).values():
            snapshot = resource.snapshot("prod", item, observed_at=CLOCK.now())

            assert resource.life(item) is Life.LIVING
            assert resource.project_field is None or snapshot.project or not item.get("project_id")
            assert snapshot.name is not None or not item.get(resource.name_field)


class Markers(Suite):
    """Of services with lists that go on after an object, by its id."""

    @about(follows_markers)
    async def test_a_list_goes_on_where_its_last_object_was_deleted_meanwhile(
        self, world: World, reader: Reader, kind: str
    ) -> None:
        extra = {world.make(kind) for _ in range(2)}
        small = in_pages_of(2, ALL[kind])
        place, seen = Place(CLOCK.now()), list[str]()
        pages_until_then = Listing(reader.objects, small, CLOCK).pages(place)
        async for each in pages_until_then:
            place = each.place
            seen += [str(small.id_of(item)) for item in each.page.items]
            if seen[-1] in extra or extra <= set(seen):
                break
        await pages_until_then.aclose()
        for id_ in extra:
            world.remove(kind, id_)

        async for each in Listing(reader.objects, small, CLOCK).pages(place):
            seen += [str(small.id_of(item)) for item in each.page.items]

        assert (await listed(reader, ALL[kind])).keys() <= set(seen)


class Filters(Suite):
    """Of services that are asked for objects by other fields than their ids, too."""

    async def test_a_filter_shows_exactly_what_has_the_value(
        self, reader: Reader, kind: str, field: str
    ) -> None:
        everything = await listed(reader, ALL[kind])
        values = sorted({str(item[field]) for item in everything.values() if item.get(field)})
        assert values, "something to filter by"
        two = values[:2]

        found = await read(reader, kind, *two, by=field)

        expected = {id_ for id_, item in everything.items() if str(item.get(field)) in two}
        assert (set(objects_of(found)), len(found.failed)) == (expected, 0)

    async def test_a_filter_shows_nothing_for_a_value_that_nothing_has(
        self, reader: Reader, kind: str, field: str
    ) -> None:
        found = await read(reader, kind, NOWHERE, by=field)

        assert (found.snapshots, found.failed, len(found.settled)) == ([], [], 1)


class Batches(Suite):
    """Of services whose lists can be asked for several ids."""

    @about(asked_for_by_ids)
    async def test_many_ids_go_into_one_query(
        self, world: World, reader: Reader, kind: str
    ) -> None:
        resource, made = ALL[kind], sorted(world.made[kind])
        ids = [f"{number:08x}{NOWHERE[8:]}" for number in range(MANY - len(made))] + made

        query = (*resource.list_params, *filter_params(resource, "id", ids))
        asked, everything = [
            {
                str(resource.id_of(item))
                async for page in reader.objects.pages(resource, params)
                for item in page.items
            }
            for params in (query, resource.list_params)
        ]

        assert asked == everything & set(made), "Glance's first list lacks the hidden images"


class Members(Suite):
    """Of services whose Keystone has a user `member`, who administers nothing."""

    async def test_a_member_is_shown_a_part_without_what_policy_hides(
        self, world: World, reader: Reader, tmp_path: Path, kind: str
    ) -> None:
        resource = ALL[kind]
        async with client(world.keystone, "member", tmp_path) as opened:
            shown = await listed(Reader(opened, clock=CLOCK), resource)

        assert shown.keys() <= (await listed(reader, resource)).keys()
        payload = resource.payload
        hidden = payload.hidden | payload.for_admins if payload else frozenset()
        assert all(hidden.isdisjoint(item) for item in shown.values())


class Telling(Suite):
    """Of services that send notifications."""

    @pytest.mark.asyncio(loop_scope="function")
    async def test_notifications_make_the_inventory_what_the_api_shows(
        self, world: World, database: Database, tmp_path: Path
    ) -> None:
        world.live()
        async with client(world.keystone, "admin", tmp_path) as opened:
            hearing = await Hearing.of(world.notifications, database, opened)
            await hearing.claim()
            untold = {kind: await hearing.unlike_the_api(kind, heard=True) for kind in self.KINDS}
            await hearing.read()
            unread = {kind: await hearing.unlike_the_api(kind, heard=False) for kind in self.KINDS}
            unheard = {kind: await hearing.not_heard_of(kind) for kind in self.KINDS}

        assert (having(untold), having(unread), having(unheard)) == ({}, {}, {})
