"""What the refresher must know of a kind: how it is listed, read by id, filtered, and understood.

Data and a few pure functions; the asking itself is `services.refresher.objects`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any
from urllib.parse import quote

from shared.event import Event
from shared.openstack.paging import Paging, Params
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


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is asked for: a path relative to the service's endpoint, and a query."""

    path: str
    params: Params = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """A list that exists once for each object of another kind, and only there.

    Ids below a parent are `<parent's id>/<name>` where the API gives none of its own.
    """

    parent: "Resource"
    field: str
    """Where a child holds its parent's id; put there by us, since such lists leave it out."""
    address: Callable[[Object], Address]
    """The children's list, by the parent object."""
    by_id: bool = True
    """Whether the parent's id is all that `address` reads of it."""
    of_users: bool = False
    """Whether the parents are users, each of whom is shown their own list: ours is read where we
    may not list the others."""
    through: frozenset[str] = frozenset()
    """Filters of the parents by which their children can be asked for, too."""


def text_of(item: Object, field: str) -> str | None:
    """Return a field that is a text and not empty."""
    value = item.get(field)
    return value if isinstance(value, str) and value else None


def id_of(item: Object) -> str | None:
    """Return the id; Nova's aggregates have integers."""
    value = item.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def enabled(item: Object) -> str | None:
    """Return `enabled` or `disabled`, which Keystone tells as a boolean."""
    value = item.get("enabled")
    return None if value is None else "enabled" if value else "disabled"


def no_status(_: Object) -> None:
    """Return nothing: objects of this kind are in no state."""


def repeated_ids(ids: Sequence[str]) -> Params:
    """Return the query that asks a list for any of `ids`, where `id` may be repeated."""
    return tuple(("id", id_) for id_ in ids)


def without(*fields: str) -> Callable[[Object], Object]:
    """Return what drops `fields` of an object."""
    dropped = frozenset(fields)

    def shape(item: Object) -> Object:
        return {key: value for key, value in item.items() if key not in dropped}

    return shape


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
    for_admins: frozenset[str] = frozenset()
    """Fields that it tells and reads show to administrators alone: where a read lacks them, what
    was told stays."""
    gone: Callable[[Event], Mapping[str, frozenset[str]]] = field(default=lambda _: {})
    """Elements that the event takes out of lists of the object, by field; that, and the fields, is
    then all that the event changed."""
    passing: Callable[[Object], bool] = field(default=lambda _: False)
    """Whether the object is in the middle of something, so that another event will follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Objects of another kind that an object shows: what it does not show may be gone."""

    kind: str
    field: str
    """Where they hold the id of the object that shows them."""
    ids: Callable[[Object], frozenset[str]]
    """All that an object shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """How one kind is read."""

    kind: str
    service_type: str
    path: str
    """Of the list, relative to the versioned endpoint; unused for what is `below` something."""
    collection: str
    """Where the list stands in its reply; empty: it is the reply."""
    item_path: str | None
    """Of single objects; the id follows. None: there are only lists."""
    item_key: str | None
    """Where a single object stands in its reply; None: it is the reply."""
    vouched_for_by: "Resource | None" = None
    """What has a list that tells when this one lacks what lives, and is read after it: then nothing
    is taken from the list. None: the list itself is enough."""
    broken_as_told_by: "Resource | None" = None
    """What has a list that tells of a part of the service that is down; a 500 to a read of this
    kind is explained by that. None: nothing explains it."""
    item_address: Callable[[str], Address] | None = None
    """Where a single object is, by its id, when that is not `item_path` and the id."""
    list_params: Params = ()
    """Sent with every list: the page size, and that all projects are meant."""
    full_lists: Sequence[Params] = ((),)
    """The lists that a full pass has to read, since one does not show everything."""
    paging: Paging = Paging.LINKS
    ids_filter: Callable[[Sequence[str]], Params] | None = None
    """Asks a list for some ids; None where the API cannot."""
    filters: frozenset[str] = frozenset()
    """Other fields by which a list can be asked for."""
    redirects: bool = False
    """Whether a single object is found by a redirect, so that a list of one id is cheaper."""
    repeats: bool = True
    """Whether a filter may be repeated to mean any of several values."""
    since: str | None = None
    """The parameter of the list that asks for what changed since a time, deleted objects too."""
    wider: Params = ()
    """Asks a list for all projects, or for what is private; refused, the list is asked for without
    it, shows our own project alone, and that is shown."""
    wider_ignored: bool = False
    """Whether the service passes over `wider` where it may not be asked, mostly without a word, so
    that only our roles tell what a list shows."""
    own_project: bool = False
    """Whether lists show our own project alone, and leave out which that is."""
    private: bool = False
    """Whether those of other projects are shown to administrators alone: never shared or public,
    nor shown to who owns something beside them (as ports are to who owns the network)."""
    list_all_from: int | None = None
    """From how many ids on one list of everything is cheaper than single reads; None: never."""
    microversion: tuple[int, int] | None = None
    """The newest that we understand; an older cloud is asked with its own newest."""
    oldest: tuple[int, int] | None = None
    """The microversion that brought the kind; a cloud below it does not have it."""
    extension: str | None = None
    """Of Neutron, that brings the kind; a cloud without it does not have it."""
    below: Below | None = None
    """What the lists of this kind are lists of; None: there is one list of all."""
    id_of: Callable[[Object], str | None] = id_of
    """The id of an object, ours where the API has none; None: this is no such object."""
    ids_return: bool = False
    """Whether people choose the id, so that another object may have it once its own is gone."""
    named_by: Callable[[str], Sequence[str]] = field(default=lambda id_: (id_,))
    """What a 404 to a read by id names, at least one of them."""
    unnamed: str | None = None
    """All that such a 404 says where the service names nothing in it; None: it names the object."""
    shape: Callable[[Object], Object] = field(default=lambda item: item)
    """What is kept of an object: what ticks without any change (heartbeats) and secrets are not."""
    name_field: str = "name"
    project_field: str | None = "project_id"
    status: Callable[[Object], str | None] = field(default=lambda item: text_of(item, "status"))
    life: Callable[[Object], Life] = field(default=lambda _: Life.LIVING)
    urgent: bool = False
    """Whether people wait for it: its targets go before others, though never always."""
    settling: Callable[[Object], bool] = field(default=lambda _: False)
    """Whether the object is about to change without any event, and is worth a second look."""
    shows: Shown | None = None
    """What a read of it tells of another kind; None: nothing."""
    payload: Payload | None = None
    """What notifications tell of it; None: nothing that can be relied on."""

    def address_of(self, id_: str) -> Address:
        """Return where the object with this id is read; only for kinds with single objects."""
        if self.item_address is not None:
            return self.item_address(id_)
        return Address(f"{self.item_path}/{quote(id_, safe='')}")

    def snapshot(
        self, cloud: str, item: Object, *, observed_at: datetime, partial: bool = False
    ) -> Snapshot:
        """Return what `item` tells; raises KeyError when it has no id."""
        id_ = self.id_of(item)
        if id_ is None:
            raise KeyError(f"a {self.kind} without an id")
        revision = item.get("revision_number")
        for_admins = self.payload.for_admins if self.payload else frozenset()
        return Snapshot(
            ref=ResourceRef(cloud, self.kind, id_),
            name=text_of(item, self.name_field),
            project=text_of(item, self.project_field) if self.project_field else None,
            status=self.status(item),
            object=item,
            observed_at=observed_at,
            revision=revision if isinstance(revision, int) else None,
            partial=partial,
            hidden=frozenset() if partial else for_admins - item.keys(),
        )
