"""One thing that can happen in the cloud, and how its objects are found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.simulator.deeds import holding
from services.simulator.notification import Actor, Deed, Operation, Request
from services.simulator.table import Identified, Table
from services.simulator.world import World

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can happen; `weight` is its share of the mix.

    `begin` looks for objects that nothing else works on and returns the operation, or None when
    there is nothing to do it to.
    """

    name: str
    weight: float
    begin: Callable[[World], Operation | None]


T = TypeVar("T", bound=Identified)


class Owned(Protocol):
    """Anything that belongs to a project."""

    @property
    def project_id(self) -> str:
        """The project's id."""
        ...


def find(world: World, table: Table[T], fits: Callable[[T], bool] = lambda _: True) -> T | None:
    """Return an idle object that fits, found by a few throws of the dice, or None."""
    for _ in range(_TRIES):
        item = table.pick(world.random)
        if item is None:
            return None
        if item.id not in world.held and fits(item):
            return item
    return None


def owner(world: World, item: Owned) -> Actor:
    """Return who acts in the project that `item` belongs to."""
    return world.owners[item.project_id]


def by_owner(world: World, item: Owned) -> Request:
    """Return a new request of who acts in the project that `item` belongs to."""
    return world.request(owner(world, item))


def admin(world: World) -> Request:
    """Return a new request of the cloud's administrator."""
    return world.request(world.services["admin"])


def somebody(world: World) -> Request | None:
    """Return a new request of who acts in any project; None when none has a network yet."""
    project = world.projects.pick(world.random)
    if project is None or project.main_network_id is None:
        return None
    return world.request(world.owners[project.id])


def on(world: World, items: Iterable[Identified], deed: Deed[object]) -> Operation:
    """Return the operation with `items` held until it ends."""
    return holding(world, [item.id for item in items], _result_dropped(deed))


def _result_dropped(deed: Deed[object]) -> Operation:
    yield from deed


def name(world: World, what: str) -> str:
    """Return a new name such as `vm-3f2a91`."""
    return f"{what}-{world.random.getrandbits(24):06x}"
