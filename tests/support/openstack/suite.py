"""What the suites of `promises` stand on: a service that a test module filled, and its kinds."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
import pytest_asyncio

from services.refresher.reading import Reader
from services.refresher.resources import ALL
from services.refresher.resources.model import Resource
from shared.openstack.client import CloudClient
from shared.openstack.paging import Paging
from tests.support.openstack.asking import CLOCK, client
from tests.support.openstack.real import Keystone

Test = TypeVar("Test", bound=Callable[..., Any])

MARKS = [
    pytest.mark.xdist_group("real openstack"),
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
    # keystoneauth1 warns of what it is going to change in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]
"""Of every test module that talks with real services."""


@dataclass(frozen=True, slots=True)
class World:
    """A real service with some of everything, and how more is made and unmade in it."""

    keystone: Keystone
    notifications: Path
    """The file that it writes them to, if it tells of anything."""
    made: Mapping[str, frozenset[str]]
    """The ids of all that was made, of all projects, by kind."""
    make: Callable[[str], str]
    """Makes one more of a kind; returns its id."""
    remove: Callable[[str, str], None]
    """Deletes one, by kind and id."""
    live: Callable[[], None] = lambda: None
    """Changes and deletes some of everything."""


def paged(resource: Resource) -> bool:
    """Tell whether the kind's list is asked for in pages."""
    return "limit" in dict(resource.list_params)


def follows_markers(resource: Resource) -> bool:
    """Tell whether the list goes on after an object, by its id."""
    return paged(resource) and resource.paging is not Paging.OFFSET and resource.below is None


def own_filters(resource: Resource) -> frozenset[str]:
    """Return the fields of objects that their list can be asked for by."""
    return resource.filters - (resource.below.through if resource.below else frozenset())


def read_alone(resource: Resource) -> bool:
    """Tell whether one object can be read by its id."""
    return resource.item_path is not None


def asked_for_by_ids(resource: Resource) -> bool:
    """Tell whether the list can be asked for several ids."""
    return resource.ids_filter is not None


def about(kinds: Callable[[Resource], bool]) -> Callable[[Test], Test]:
    """Run a test only for the kinds that it is about."""

    def marked(test: Test) -> Test:
        test.about = kinds  # type: ignore[attr-defined]
        return test

    return marked


class Suite:
    """A test module has a subclass of some suites whose name begins with Test."""

    KINDS: ClassVar[tuple[str, ...]]
    MAKE_WHAT_THEY_ASK_FOR: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    """Kinds and filters where to ask for what is not there makes it."""
    MISSING: ClassVar[Mapping[str, str]] = {}
    """Of kinds whose ids are no UUIDs, one that nothing has."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test for each kind that it is about; with `field`, for each filter of it."""
        names = metafunc.fixturenames
        if "field" in names:
            both = {(kind, each) for kind in self.KINDS for each in own_filters(ALL[kind])}
            metafunc.parametrize(("kind", "field"), sorted(both - self.MAKE_WHAT_THEY_ASK_FOR))
        elif "kind" in names:
            about = getattr(metafunc.function, "about", lambda _: True)
            metafunc.parametrize("kind", [kind for kind in self.KINDS if about(ALL[kind])])

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def admin(
        self, world: World, tmp_path_factory: pytest.TempPathFactory
    ) -> AsyncIterator[CloudClient]:
        async with client(world.keystone, "admin", tmp_path_factory.mktemp("clouds")) as opened:
            yield opened

    @pytest.fixture
    def reader(self, admin: CloudClient) -> Reader:
        return Reader(admin, clock=CLOCK)
