"""Objects by id: constant-time lookup and random choice, and both orders that APIs page in."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from random import Random
from typing import Generic, Protocol, TypeVar


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The id, unique in its table."""
        ...


T = TypeVar("T", bound=Identified)


class Table(Generic[T]):
    """Objects by id. Iterating gives the order of creation; `sorted_ids` the order of ids."""

    def __init__(self) -> None:
        self._objects: dict[str, T] = {}
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._sorted: list[str] | None = None

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._objects

    def __iter__(self) -> Iterator[T]:
        return iter(self._objects.values())

    def __reversed__(self) -> Iterator[T]:
        return reversed(self._objects.values())

    def __getitem__(self, id_: str) -> T:
        return self._objects[id_]

    def get(self, id_: str) -> T | None:
        """Return the object, or None."""
        return self._objects.get(id_)

    def add(self, item: T) -> T:
        """Add a new object and return it."""
        self._objects[item.id] = item
        self._places[item.id] = len(self._ids)
        self._ids.append(item.id)
        if self._sorted is not None:
            insort(self._sorted, item.id)
        return item

    def remove(self, id_: str) -> T:
        """Take an object out and return it; the last id moves into its place."""
        place, last = self._places.pop(id_), self._ids.pop()
        if last != id_:
            self._ids[place] = last
            self._places[last] = place
        if self._sorted is not None:
            del self._sorted[bisect_left(self._sorted, id_)]
        return self._objects.pop(id_)

    def pick(self, random: Random) -> T | None:
        """Return any object, each equally likely; None when the table is empty."""
        return self._objects[random.choice(self._ids)] if self._ids else None

    def sorted_ids(self) -> list[str]:
        """Return all ids in ascending order; the list belongs to the table."""
        if self._sorted is None:
            self._sorted = sorted(self._ids)
        return self._sorted
