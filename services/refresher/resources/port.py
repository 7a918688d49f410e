"""What the refresher must know of a kind: how it is listed, read by id, filtered, and understood.

Data and two pure functions; the reading itself is `services.refresher.reading`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from shared.event import Event
from shared.openstack.paging import Params
from shared.resource import ResourceRef
from shared.snapshot import Snapshot

Object = Mapping[str, Any]
"""One object as an API gave it."""


class Life(Enum):
    """What an object says about its own existence."""

    LIVING = auto()
    GONE = auto()
    """The API still shows it, as deleted."""
    UNSURE = auto()
    """The API shows a part of it; what is known must not be overwritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a notification tells of an object, in the words of the API, so that a read is spared."""

    fields: Callable[[Event], Object | None] | None = None
    """What the payload tells for certain, None for nothing; without it, the objects that the
    catalogue calls complete, where their `revision_number` says how new they are."""
    whole: bool = False
    """Whether nothing of the object is left out, so that no read has to follow."""
    hidden: frozenset[str] = frozenset()
    """Fields that policy hides from the callers whom the payload was made for; an object that no
    read has seen yet is read when one of them is absent."""
    passing: Callable[[Object], bool] = field(default=lambda _: False)
    """Whether the object is in the middle of something, so that another event will follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """How one kind is read."""

    kind: str
    service_type: str
    path: str
    """Of the list, relative to the versioned endpoint."""
    collection: str
    """Where the list stands in its reply."""
    item_path: str
    """Of single objects; the id follows."""
    item_key: str | None
    """Where a single object stands in its reply; None: it is the reply."""
    list_params: Params = ()
    """Sent with every list: the page size, and that all projects are meant."""
    full_lists: Sequence[Params] = ((),)
    """The lists that a full pass has to read, since one does not show everything."""
    ids_filter: Callable[[Sequence[str]], Params] | None = None
    """Asks a list for some ids; None where the API cannot."""
    filters: frozenset[str] = frozenset()
    """Other fields by which a list can be asked for, several values at once by repeating."""
    list_all_from: int | None = None
    """From how many ids on one list of everything is cheaper than single reads; None: never."""
    microversion: tuple[int, int] | None = None
    """The newest that we understand; an older cloud is asked with its own newest."""
    project_field: str | None = "project_id"
    status: Callable[[Object], str | None] = field(default=lambda item: text_of(item, "status"))
    life: Callable[[Object], Life] = field(default=lambda _: Life.LIVING)
    settling: Callable[[Object], bool] = field(default=lambda _: False)
    """Whether the object is about to change without any event, and is worth a second look."""
    payload: Payload | None = None
    """What notifications tell of it; None: nothing that can be relied on."""

    def snapshot(
        self, cloud: str, item: Object, *, observed_at: datetime, partial: bool = False
    ) -> Snapshot:
        """Return what `item` tells; raises KeyError when it has no id."""
        revision = item.get("revision_number")
        return Snapshot(
            ref=ResourceRef(cloud, self.kind, str(item["id"])),
            name=text_of(item, "name"),
            project=text_of(item, self.project_field) if self.project_field else None,
            status=self.status(item),
            object=item,
            observed_at=observed_at,
            revision=revision if isinstance(revision, int) else None,
            partial=partial,
        )


def text_of(item: Object, field: str) -> str | None:
    """Return a field that is a text and not empty."""
    value = item.get(field)
    return value if isinstance(value, str) and value else None
