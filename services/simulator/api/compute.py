"""Nova: servers, with its paging, filters and microversions."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from aiohttp import web

from services.simulator.api.answer import (
    Refused,
    answer,
    fault,
    last,
    next_link,
    truth,
    whole_number,
)
from services.simulator.api.microversions import COMPUTE
from services.simulator.api.server_body import server_body, status
from services.simulator.notification import Actor, Json
from services.simulator.objects import Server
from services.simulator.state import State
from services.simulator.world import World

_UNKNOWN_REFUSED_SINCE = 75
_CHANGES_BEFORE_SINCE = 66

_FOR_ALL: dict[str, Callable[[Server], str | None]] = {
    "name": lambda server: server.name,
    "status": status,
    "flavor": lambda server: server.flavor_id,
    "image": lambda server: server.image_id,
}
_FOR_ADMINS: dict[str, Callable[[Server], str | None]] = _FOR_ALL | {
    "uuid": lambda server: server.id,
    "project_id": lambda server: server.project_id,
    "tenant_id": lambda server: server.project_id,
    "user_id": lambda server: server.user_id,
    "host": lambda server: server.host,
    "node": lambda server: server.host and f"{server.host}.example.org",
    "vm_state": lambda server: server.vm_state,
    "task_state": lambda server: server.task_state,
    "reservation_id": lambda server: server.reservation_id,
}
_BY_PART = frozenset({"name"})
_STEERING = frozenset(
    {
        "all_tenants",
        "changes-since",
        "changes-before",
        "deleted",
        "limit",
        "marker",
        "sort_key",
        "sort_dir",
    }
)


def _bad_request(message: str) -> Refused:
    return fault("badRequest", 400, message)


def list_servers(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /servers/detail, newest first, at most a page."""
    minor = COMPUTE.asked(request)
    world, origin = state.world, str(request.url.origin())
    limit = whole_number(last(request, "limit"), _bad_request, "limit")
    largest = state.settings.page_limit
    most = largest if limit is None else min(limit, largest)
    found = list(islice(_matching(world, request, actor, minor), most))
    bodies = [
        server_body(world, server, minor=minor, admin=actor.admin, origin=origin)
        for server in found
    ]
    page: Json = {"servers": bodies}
    if found and len(found) == most:
        page["servers_links"] = next_link(request, found[-1].id)
    return answer(page, headers=COMPUTE.headers(minor))


def _matching(world: World, request: web.Request, actor: Actor, minor: int) -> Iterator[Server]:
    wanted = _filters(request, actor, minor)
    everyone = _all_tenants(last(request, "all_tenants"))
    if everyone and not actor.admin:
        message = "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants"
        raise fault("forbidden", 403, f"{message} to be performed.")
    if not everyone:
        # Without all_tenants Nova takes the token's project, whatever project is asked for.
        wanted["project_id"] = actor.project_id
        wanted.pop("tenant_id", None)
    since = _time(request, "changes-since")
    before = _time(request, "changes-before") if minor >= _CHANGES_BEFORE_SINCE else None
    below = _marker_number(world, last(request, "marker"))
    for server in _candidates(world, request, since):
        if below is not None and server.number >= below:
            continue
        if since is not None and server.updated_at < since:
            continue
        if before is not None and server.updated_at > before:
            continue
        if all(_fits(server, key, value) for key, value in wanted.items()):
            yield server


def _all_tenants(text: str | None) -> bool:
    """Read the parameter as Nova does: its mere presence says yes."""
    return text is not None and text.lower() not in {"0", "f", "false", "off", "n", "no"}


def _candidates(world: World, request: web.Request, since: datetime | None) -> Iterable[Server]:
    """Return the rows to look at; `changes-since` and `deleted` bring in the deleted ones."""
    if since is None and not truth(last(request, "deleted")):
        return reversed(world.servers)
    deleted = list(world.deleted_servers.values())
    living = [] if since is None else list(world.servers)
    return sorted(living + deleted, key=lambda server: server.number, reverse=True)


def _filters(request: web.Request, actor: Actor, minor: int) -> dict[str, str]:
    """Return the filters that count; unknown ones are refused from 2.75, ignored before."""
    allowed = _FOR_ADMINS if actor.admin else _FOR_ALL
    unknown = [key for key in request.query if key not in _FOR_ADMINS and key not in _STEERING]
    if unknown and minor >= _UNKNOWN_REFUSED_SINCE:
        message = (
            "Invalid input for query parameters. Value: "
            f"Additional properties are not allowed ({unknown[0]!r} was unexpected)"
        )
        raise _bad_request(message)
    return {key: last(request, key) or "" for key in request.query if key in allowed}


def _fits(server: Server, key: str, value: str) -> bool:
    actual = _FOR_ADMINS[key](server) or ""
    if key == "status":
        return actual.lower() == value.lower()
    return value in actual if key in _BY_PART else value == actual


def _time(request: web.Request, key: str) -> datetime | None:
    text = last(request, key)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"Invalid input for query parameters {key}. Value: {text}"
        raise _bad_request(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _marker_number(world: World, marker: str | None) -> int | None:
    if marker is None:
        return None
    server = world.servers.get(marker) or world.deleted_servers.get(marker)
    if server is None:
        raise _bad_request(f"marker [{marker}] not found")
    return server.number


def get_server(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /servers/{id}; a deleted server, or one of another project, is 404."""
    minor = COMPUTE.asked(request)
    id_ = request.match_info["id"]
    server = state.world.servers.get(id_)
    if server is None or not (actor.admin or server.project_id == actor.project_id):
        raise fault("itemNotFound", 404, f"Instance {id_} could not be found.")
    origin = str(request.url.origin())
    body = server_body(state.world, server, minor=minor, admin=actor.admin, origin=origin)
    return answer({"server": body}, headers=COMPUTE.headers(minor))
