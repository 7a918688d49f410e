"""The readers' requests on the real Heat, whose engine makes real stacks."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.refresher.reading import Reader
from services.refresher.resources import ALL
from shared.event import Action
from shared.links import links_of
from shared.resource import Kind
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
from tests.support.openstack.hearing import events_in
from tests.support.openstack.heat import MADE, RESOURCES, Heat, real_heat
from tests.support.openstack.suite import MARKS

pytestmark = MARKS
STACK, PART = ALL[Kind.STACK], ALL[Kind.STACK_RESOURCE]
WORD = {"word": RESOURCES["word"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heat]:
    with real_heat(tmp_path_factory.mktemp("heat")) as heat:
        await heat.fill()
        yield heat


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["admin", "member"])
async def reader(heat: Heat, request: pytest.FixtureRequest) -> AsyncIterator[Reader]:
    """A reader as either: nobody may ask for the stacks of all projects."""
    async with client(heat.keystone, request.param, heat.home) as opened:
        yield Reader(opened, clock=CLOCK)


async def test_stacks_are_listed_with_those_within_them(heat: Heat, reader: Reader) -> None:
    found = await listed(reader, STACK)

    assert found.keys() == {one["id"] for one in heat.stacks()}
    assert len({one["parent"] for one in found.values() if one["parent"]}) == MADE
    assert {one["project"] for one in found.values()} == {heat.keystone.project_id()}
    assert reader.objects.scope.narrow == {Kind.STACK}


@pytest.mark.parametrize("kind", [Kind.STACK, Kind.STACK_RESOURCE])
async def test_pages_of_two_show_the_same_as_one_list(reader: Reader, kind: Kind) -> None:
    small = in_pages_of(2, ALL[kind])

    assert len(await pages(reader, small)) >= MADE
    assert await listed(reader, small) == await listed(reader, ALL[kind])


async def test_a_single_read_shows_what_the_list_shows(reader: Reader) -> None:
    shown = await listed(reader, STACK)

    for id_, stack in shown.items():
        assert await reader.objects.one(STACK, id_) == stack


async def test_a_list_of_ids_shows_those_and_the_rest_is_gone(reader: Reader) -> None:
    ids = set(list(await listed(reader, STACK))[:2])

    found = await read(reader, Kind.STACK, *ids, NOWHERE)

    assert objects_of(found).keys() == ids
    assert ([ref.id for ref in found.doubted], found.failed) == ([NOWHERE], [])
    assert reader.lessons.no_id_lists == set()


async def test_a_deleted_stack_and_its_resources_are_gone(heat: Heat, reader: Reader) -> None:
    stack = await heat.make(**WORD)
    await heat.remove(stack)

    found = await read(reader, Kind.STACK, stack)
    parts = await read(reader, Kind.STACK_RESOURCE, f"{stack}/word")

    assert [ref.id for ref in found.gone] == [stack]
    assert [ref.id for ref in parts.gone] == [f"{stack}/word"]


async def test_resources_are_those_of_their_stack(heat: Heat, reader: Reader) -> None:
    nested = next(one for one in heat.stacks() if one["parent"])
    stack = nested["parent"]

    found = await read(reader, Kind.STACK_RESOURCE, stack, by="stack_id")

    parts = objects_of(found)
    assert parts.keys() == {f"{stack}/word", f"{stack}/group"}
    assert {(link.name, link.key) for link in links_of(PART.kind, parts[f"{stack}/group"])} == {
        ("stack", stack),
        ("physical", nested["id"]),
    }


async def test_events_name_the_stack(heat: Heat) -> None:
    stack = await heat.make(**WORD)
    await heat.remove(stack)

    events = events_in(heat.notifications)
    told = [(one.type, one.action) for one in events if one.subjects[0].id == stack]

    assert told[1] == ("orchestration.stack.create.end", Action.CREATE)
    assert told[-1] == ("orchestration.stack.delete.end", Action.DELETE)
