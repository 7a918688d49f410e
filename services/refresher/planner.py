"""From claimed targets to few API reads: pure.

Targets of one kind and filter go together in list calls where the API can be asked for several
values, within what the service was found to take (`services.refresher.learning`); single reads are
for the rest.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlencode

from services.refresher.learning import Lessons
from services.refresher.resources.model import Resource
from shared.target import BY_ID, BY_KIND, Target

SKEW = timedelta(seconds=10)
"""How much older a change may be than the event that told it to us, by the cloud's clock."""
_LONGEST_KEY = 255
# Whatever else a key holds could change the meaning of a filter: Glance's comma, Cinder's quote.
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Claim(Protocol):
    """What the planner needs of a claimed target."""

    @property
    def target(self) -> Target:
        """What to read again."""
        ...

    @property
    def asked_at(self) -> datetime:
        """When the first event asked for it."""
        ...


C = TypeVar("C", bound=Claim)


class Form(Enum):
    """How a read is made."""

    SINGLE = auto()
    """One object by its id: the only form whose 404 means something."""
    FILTER = auto()
    """A list, asked for the values `keys` of the field `by`."""
    SINCE = auto()
    """The list of what changed since the claims were asked for, of which `keys` are wanted."""
    EVERYTHING = auto()
    """The whole list, of which the objects with one of `keys` in `by` are wanted."""


@dataclass(frozen=True, slots=True)
class Read(Generic[C]):
    """One read (of several pages where the list is long) and the claims it settles."""

    resource: Resource
    form: Form
    by: str
    claims: tuple[C, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The ids, or values of the filter, each once."""
        return tuple(dict.fromkeys(claim.target.key for claim in self.claims))

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """What the list is asked with."""
        params = self.resource.list_params
        if self.form is Form.FILTER:
            return (*params, *filter_params(self.resource, self.by, self.keys))
        if self.form is Form.SINCE and self.resource.since is not None:
            since = min(claim.asked_at for claim in self.claims) - SKEW
            return (*params, (self.resource.since, f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"))
        return tuple(params)

    @property
    def query_bytes(self) -> int:
        """How long that is, as it is sent."""
        return len(urlencode(self.params))


@dataclass(frozen=True, slots=True)
class Plan(Generic[C]):
    """What to do with each claim: each stands in exactly one place."""

    reads: tuple[Read[C], ...]
    passes: tuple[C, ...]
    """Targets of a whole kind: a full pass of that kind."""
    unreadable: tuple[C, ...]
    """Of kinds, or by fields, that no API is known for."""


def plan(
    claims: Sequence[C], resources: Mapping[str, Resource], lessons: Lessons | None = None
) -> Plan[C]:
    """Return the reads that settle `claims`, the fewest within what the cloud is known to take."""
    lessons = lessons or Lessons()
    passes: list[C] = []
    unreadable: list[C] = []
    groups: dict[tuple[str, str], list[C]] = {}
    for claim in claims:
        target = claim.target
        resource = resources.get(target.kind)
        if resource is None or not _readable(target, resource):
            unreadable.append(claim)
        elif target.by == BY_KIND:
            passes.append(claim)
        else:
            groups.setdefault((target.kind, target.by), []).append(claim)
    reads = [
        read
        for (kind, by), members in groups.items()
        for read in reads_of(resources[kind], by, members, lessons)
    ]
    return Plan(tuple(reads), tuple(passes), tuple(unreadable))


def reads_of(resource: Resource, by: str, claims: Sequence[C], lessons: Lessons) -> list[Read[C]]:
    """Return the reads that settle `claims`, all of one kind and by one field."""
    distinct = {claim.target.key for claim in claims}
    refused = (resource.kind, by) in lessons.no_filters
    if claims and (refused or _lists_everything(resource, by, len(distinct), lessons)):
        return [Read(resource, Form.EVERYTHING, by, tuple(claims))]
    if by != BY_ID:
        parts = _parts(resource, by, claims, lessons)
        return [Read(resource, Form.FILTER, by, part) for part in parts]
    if resource.kind in lessons.no_id_lists:
        return singles(resource, claims)
    # One list, and a single read for each that it leaves out, against a single read for each.
    if resource.since is not None and len(distinct) * lessons.shown(resource.kind) > 1:
        return [Read(resource, Form.SINCE, by, tuple(claims))]
    if resource.ids_filter is None:
        return singles(resource, claims)
    plain = [claim for claim in claims if _PLAIN.fullmatch(claim.target.key)]
    odd = [claim for claim in claims if not _PLAIN.fullmatch(claim.target.key)]
    reads = singles(resource, odd)
    for part in _parts(resource, by, plain, lessons):
        read = Read(resource, Form.FILTER, by, part)
        alone = len(read.keys) == 1 and not resource.redirects
        reads += singles(resource, part) if alone else [read]
    return reads


def _lists_everything(resource: Resource, by: str, wanted: int, lessons: Lessons) -> bool:
    """Whether one list of all is the only way to read so many, or the cheapest."""
    if by == BY_ID and resource.item_path is None:
        return True
    batched = resource.repeats if by != BY_ID else _in_batches(resource, lessons)
    if batched or resource.below is not None or len(resource.full_lists) > 1:
        return False
    size = lessons.sizes.get(resource.kind)
    if size is not None:
        return wanted > size.cost
    return by == BY_ID and resource.list_all_from is not None and wanted >= resource.list_all_from


def _in_batches(resource: Resource, lessons: Lessons) -> bool:
    """Whether a list can be asked for several ids."""
    if resource.kind in lessons.no_id_lists:
        return False
    return resource.ids_filter is not None or resource.since is not None


def singles(resource: Resource, claims: Sequence[C]) -> list[Read[C]]:
    """Return one read for each id."""
    return [
        Read(resource, Form.SINGLE, BY_ID, tuple(members)) for members in _by_key(claims).values()
    ]


def filter_params(resource: Resource, by: str, keys: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Return the query that asks a list for `keys`."""
    if by == BY_ID and resource.ids_filter is not None:
        return resource.ids_filter(keys)
    return [(by, key) for key in keys]


def halves(read: Read[C], lessons: Lessons) -> list[Read[C]]:
    """Split a read that was too long for somebody on the way."""
    groups = list(_by_key(read.claims).values())
    middle = len(groups) // 2
    parts = (groups[:middle], groups[middle:])
    return [
        split
        for part in parts
        for split in reads_of(
            read.resource, read.by, [claim for group in part for claim in group], lessons
        )
    ]


def _readable(target: Target, resource: Resource) -> bool:
    if target.by == BY_KIND:
        return True
    known = target.by == BY_ID or target.by in resource.filters
    return known and 0 < len(target.key) <= _LONGEST_KEY


def _parts(
    resource: Resource, by: str, claims: Iterable[C], lessons: Lessons
) -> list[tuple[C, ...]]:
    """Cut claims into parts whose query the service takes."""
    room = lessons.rooms[resource.service_type]
    parts: list[tuple[C, ...]] = []
    keys: list[str] = []
    part: list[C] = []
    most = room.keys if resource.repeats else 1
    for key, members in _by_key(claims).items():
        longer = [*resource.list_params, *filter_params(resource, by, [*keys, key])]
        if part and (len(keys) >= most or not room.fits(len(keys) + 1, len(urlencode(longer)))):
            parts.append(tuple(part))
            keys, part = [], []
        keys.append(key)
        part += members
    return [*parts, tuple(part)] if part else parts


def _by_key(claims: Iterable[C]) -> dict[str, list[C]]:
    groups: dict[str, list[C]] = {}
    for claim in claims:
        groups.setdefault(claim.target.key, []).append(claim)
    return groups
