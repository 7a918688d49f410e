"""One way of listing and showing for all the kinds whose APIs do little more than that.

What differs between services is data here: where objects stand in a reply, who sees them, how a
page is followed by another, and how a refusal is worded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from aiohttp import web

from services.simulator.api.answer import (
    STATE,
    AsyncHandler,
    Refused,
    answer,
    authenticated,
    last,
    next_link,
    truth,
    whole_number,
)
from services.simulator.api.microversions import Microversions
from services.simulator.notification import Actor, Json
from services.simulator.state import State
from services.simulator.world import World

_MAX_LIMIT = 1000


class Pages(Enum):
    """How a list goes on after a full page."""

    ALL_AT_ONCE = auto()
    LINKS = auto()
    """`<name>_links`, or what `Plain.links` says."""
    OFFSET = auto()
    """No links: the caller counts."""
    MARKER = auto()
    """No links: the caller remembers the last id."""
    NEXT = auto()
    """`next`, an address of its own (Ironic)."""
    KEYSTONE = auto()
    """`links` with `next`, always there and null."""
    HEAT = auto()
    """`links`, a list with `rel: next`, where there is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object: `id` is how the path names it, `body` how administrators see it."""

    id: str
    project_id: str | None
    """None: it belongs to nobody."""
    body: Json


@dataclass(frozen=True, slots=True)
class Asked:
    """What rows may depend on."""

    world: World
    request: web.Request
    actor: Actor
    minor: int
    """The microversion; 0 where the service has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A collection and how its service shows it."""

    path: str
    detail: str = ""
    """Where the list with the whole objects is, below `path`."""
    name: str
    item: str | None
    rows: Callable[[Asked], Sequence[Row]]
    """Every object there is, in the order of the list."""
    pages: Pages = Pages.ALL_AT_ONCE
    links: str | None = None
    all_projects: str | None = None
    """The parameter by which administrators see all projects."""
    means_all: Callable[[str | None], bool] = truth
    """Which value of it does so."""
    own_only: bool = False
    """Members see what is theirs, administrators everything, unasked."""
    admin_rule: str | None = None
    """The policy that lets nobody in but administrators."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Parameter -> field of the body, or path in it; every other one is ignored."""
    microversions: Microversions | None = None
    since: int = 0
    shows: bool = True
    """Whether single objects can be read."""
    listed: Callable[[Json], Json] = field(default=lambda body: body)
    """What a list shows of a body."""
    shown: Callable[[Json], Json] = field(default=lambda body: body)
    """What a read of one shows of it."""
    bad_request: Callable[[str], Refused]
    forbidden: Callable[[str], Refused]
    not_found: Callable[[str], Refused]


def handlers(plain: Plain) -> tuple[AsyncHandler, AsyncHandler]:
    """Return what answers GET of the collection, and of one object in it."""

    def index(state: State, request: web.Request, actor: Actor) -> web.Response:
        return _list(plain, state.world, request, actor)

    def show(state: State, request: web.Request, actor: Actor) -> web.Response:
        return _get(plain, state.world, request, actor)

    return authenticated(index), authenticated(show)


def _list(plain: Plain, world: World, request: web.Request, actor: Actor) -> web.Response:
    minor = _minor(plain, request, actor)
    everything = plain.rows(Asked(world, request, actor, minor))
    rows = [row for row in everything if _visible(plain, row, request, actor)]
    for parameter, name in plain.filters.items():
        wanted = last(request, parameter)
        if wanted is not None:
            rows = [row for row in rows if _fits(_at(row.body, name), wanted)]
    paged = plain.pages not in {Pages.ALL_AT_ONCE, Pages.KEYSTONE}
    more = False
    if paged:
        rows, more = _page(plain, rows, request)
    reply: Json = {plain.name: [plain.listed(row.body) for row in rows]}
    if plain.pages is Pages.KEYSTONE:
        reply["links"] = {"self": str(request.url), "previous": None, "next": None}
    elif more:
        reply |= _following(plain, request, rows[-1].id)
    return answer(reply, headers=_headers(plain, minor))


def _page(plain: Plain, rows: list[Row], request: web.Request) -> tuple[list[Row], bool]:
    """Return one page, and whether it is full: then there may be more."""
    limit = whole_number(last(request, "limit"), plain.bad_request, "limit")
    linked = plain.pages not in (Pages.OFFSET, Pages.MARKER)
    largest = request.app[STATE].settings.page_limit if linked else _MAX_LIMIT
    most = min(limit or largest, largest)
    start = 0
    marker = last(request, "marker")
    if plain.pages is Pages.OFFSET:
        start = whole_number(last(request, "offset"), plain.bad_request, "offset") or 0
    elif marker is not None:
        ids = [row.id for row in rows]
        if marker not in ids:
            raise plain.bad_request(f"marker [{marker}] not found")
        start = ids.index(marker) + 1
    page = rows[start : start + most]
    return page, len(page) == most


def _following(plain: Plain, request: web.Request, marker: str) -> Json:
    match plain.pages:
        case Pages.LINKS:
            return {plain.links or f"{plain.name}_links": next_link(request, marker)}
        case Pages.HEAT:
            return {"links": next_link(request, marker)}
        case Pages.NEXT:
            return {"next": str(request.url.update_query(marker=marker))}
        case _:
            return {}


def _get(plain: Plain, world: World, request: web.Request, actor: Actor) -> web.Response:
    minor = _minor(plain, request, actor)
    id_ = request.match_info["id"]
    for row in plain.rows(Asked(world, request, actor, minor)):
        if row.id == id_ and (actor.admin or row.project_id in {None, actor.project_id}):
            body = plain.shown(row.body)
            reply = body if plain.item is None else {plain.item: body}
            return answer(reply, headers=_headers(plain, minor))
    raise plain.not_found(id_)


def _minor(plain: Plain, request: web.Request, actor: Actor) -> int:
    """Return the microversion, 0 without any; refuses who may not ask."""
    minor = plain.microversions.asked(request) if plain.microversions else 0
    if minor < plain.since:
        raise plain.not_found(request.path)
    if plain.admin_rule is not None and not actor.admin:
        raise plain.forbidden(plain.admin_rule)
    return minor


def _visible(plain: Plain, row: Row, request: web.Request, actor: Actor) -> bool:
    if row.project_id is None or row.project_id == actor.project_id:
        return True
    if plain.own_only:
        return actor.admin
    if plain.all_projects is None or not actor.admin:
        return False
    return plain.means_all(last(request, plain.all_projects))


def _at(value: Any, path: str) -> Any:
    for step in path.split("/"):
        if isinstance(value, list):
            value = value[int(step)] if value else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _fits(actual: object, wanted: str) -> bool:
    if isinstance(actual, bool):
        return actual == truth(wanted)
    return str(actual) == wanted


def _headers(plain: Plain, minor: int) -> dict[str, str]:
    return plain.microversions.headers(minor) if plain.microversions else {}
