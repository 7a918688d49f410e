"""Cinder v3: volumes, with the traps of its filters."""

import ast
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from operator import eq, ge, gt, le, lt, ne
from typing import Any

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
from services.simulator.api.microversions import VOLUME
from services.simulator.notification import Actor, Json
from services.simulator.objects import Volume
from services.simulator.payloads.cinder import VOLUME_TYPE_ID, VOLUME_TYPE_NAME
from services.simulator.payloads.times import micro
from services.simulator.state import State
from services.simulator.world import World

_FILTERS_CHECKED_SINCE, _TIME_OPERATORS_SINCE = 31, 60
_STEERING = frozenset(
    {"all_tenants", "limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count"}
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": gt,
    "gte": ge,
    "eq": eq,
    "neq": ne,
    "lt": lt,
    "lte": le,
}
_COLUMNS: dict[str, Callable[[Volume], Any]] = {
    "id": lambda volume: volume.id,
    "name": lambda volume: volume.name,
    "display_name": lambda volume: volume.name,
    "status": lambda volume: volume.status,
    "size": lambda volume: str(volume.size_gib),
    "project_id": lambda volume: volume.project_id,
    "user_id": lambda volume: volume.user_id,
    "host": lambda volume: volume.host,
    "availability_zone": lambda _: "nova",
    "bootable": lambda volume: str(volume.bootable).lower(),
}
_FOR_MEMBERS = frozenset({"name", "status", "bootable", "availability_zone"})
_TIMES = frozenset({"created_at", "updated_at"})


def _bad_request(message: str) -> Refused:
    return fault("badRequest", 400, message)


def list_volumes(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /{project}/volumes/detail, newest first, at most a page."""
    minor = VOLUME.asked(request)
    _check_project(request, actor)
    limit = whole_number(last(request, "limit"), _bad_request, "limit")
    largest = state.settings.page_limit
    most = largest if limit is None else min(limit, largest)
    found = list(islice(_matching(state.world, request, actor, minor), most))
    origin = str(request.url.origin())
    bodies = [
        volume_body(volume, minor=minor, admin=actor.admin, origin=origin) for volume in found
    ]
    page: Json = {"volumes": bodies}
    if found and len(found) == most:
        page["volumes_links"] = next_link(request, found[-1].id)
    return answer(page, headers=VOLUME.headers(minor))


def get_volume(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /{project}/volumes/{id}."""
    minor = VOLUME.asked(request)
    _check_project(request, actor)
    id_ = request.match_info["id"]
    volume = state.world.volumes.get(id_)
    if volume is None or not (actor.admin or volume.project_id == actor.project_id):
        raise fault("itemNotFound", 404, f"Volume {id_} could not be found.")
    origin = str(request.url.origin())
    body = volume_body(volume, minor=minor, admin=actor.admin, origin=origin)
    return answer({"volume": body}, headers=VOLUME.headers(minor))


def _check_project(request: web.Request, actor: Actor) -> None:
    """Refuse a URL whose project is not the token's, as Cinder does."""
    if request.match_info["project_id"] != actor.project_id:
        raise _bad_request("Malformed request url")


def _matching(world: World, request: web.Request, actor: Actor, minor: int) -> Iterator[Volume]:
    """Return the volumes that fit; `all_tenants` of a member is ignored."""
    filters = _filters(request, actor, minor)
    everyone = actor.admin and truth(last(request, "all_tenants"))
    below = _marker_number(world, last(request, "marker"))
    for volume in _candidates(world, filters):
        if below is not None and volume.number >= below:
            continue
        if not everyone and volume.project_id != actor.project_id:
            continue
        if all(_fits(volume, key, value) for key, value in filters.items()):
            yield volume


def _candidates(world: World, filters: dict[str, Any]) -> Iterable[Volume]:
    ids = filters.get("id")
    if not isinstance(ids, list):
        return reversed(world.volumes)
    found = [volume for id_ in set(ids) if (volume := world.volumes.get(str(id_))) is not None]
    return sorted(found, key=lambda volume: volume.number, reverse=True)


def _filters(request: web.Request, actor: Actor, minor: int) -> dict[str, Any]:
    """Return the filters; a value that is a Python literal counts as what it says.

    `id=['a','b']` is thus a list (administrators only), while `id=a,b` is one id that nothing has,
    and of a repeated key the last value counts. Observed with Cinder 29, documented nowhere.
    """
    given = {key: last(request, key) or "" for key in request.query if key not in _STEERING}
    if minor < _TIME_OPERATORS_SINCE:
        given = {key: value for key, value in given.items() if key not in _TIMES}
    if actor.admin:
        return {key: _literal(value) for key, value in given.items()}
    allowed = _FOR_MEMBERS | _TIMES
    unknown = sorted(given.keys() - allowed)
    if unknown and minor >= _FILTERS_CHECKED_SINCE:
        raise _bad_request(f"Invalid filters {', '.join(unknown)} are found in query options.")
    return {key: value for key, value in given.items() if key in allowed}


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, list) else text


def _fits(volume: Volume, key: str, wanted: Any) -> bool:
    if key in _TIMES:
        return _fits_time(getattr(volume, key), wanted)
    column = _COLUMNS.get(key)
    if column is None:
        # A column that the table does not have gives an empty list, not an error.
        return False
    actual = column(volume)
    return actual in wanted if isinstance(wanted, list) else actual == wanted


def _fits_time(actual: datetime | None, wanted: str) -> bool:
    """Compare as `gte:<time>`; a row that was never updated has no time and never fits."""
    operator, _, text = wanted.partition(":")
    try:
        moment = datetime.fromisoformat(text)
        compare = _OPERATORS[operator]
    except (ValueError, KeyError) as error:
        raise _bad_request(f"Invalid time filter {wanted!r}; use gte:<time> or the like") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return actual is not None and compare(actual, aware)


def _marker_number(world: World, marker: str | None) -> int | None:
    if marker is None:
        return None
    volume = world.volumes.get(marker)
    if volume is None:
        raise fault("itemNotFound", 404, f"Volume {marker} could not be found.")
    return volume.number


def volume_body(volume: Volume, *, minor: int, admin: bool, origin: str) -> Json:
    """Return a volume in microversion 3.`minor`."""
    body: Json = {
        "id": volume.id,
        "name": volume.name,
        "description": None,
        "status": volume.status,
        "size": volume.size_gib,
        "availability_zone": "nova",
        "created_at": micro(volume.created_at),
        "updated_at": micro(volume.updated_at),
        "attachments": [
            {
                "id": volume.id,
                "attachment_id": attachment.id,
                "volume_id": volume.id,
                "server_id": attachment.server_id,
                "host_name": attachment.host if admin else None,
                "device": attachment.device,
                "attached_at": micro(attachment.attached_at),
            }
            for attachment in volume.attachments
        ],
        "volume_type": VOLUME_TYPE_NAME,
        "metadata": dict(volume.metadata),
        "snapshot_id": None,
        "source_volid": None,
        "user_id": volume.user_id,
        "bootable": str(volume.bootable).lower(),
        "encrypted": False,
        "multiattach": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        "links": [{"rel": "self", "href": f"{origin}/volume/v3/volumes/{volume.id}"}],
    }
    if admin:
        body |= {
            "os-vol-host-attr:host": volume.host,
            "os-vol-mig-status-attr:migstat": None,
            "os-vol-mig-status-attr:name_id": None,
            "migration_status": None,
        }
    for since, field, value in _LATER:
        if minor >= since:
            body[field] = value
    return body


_LATER: tuple[tuple[int, str, object], ...] = (
    (13, "group_id", None),
    (21, "provider_id", None),
    (48, "service_uuid", None),
    (48, "shared_targets", False),
    (61, "cluster_name", None),
    (63, "volume_type_id", VOLUME_TYPE_ID),
    (65, "consumes_quota", True),
)
"""Fields by the 3.x microversion that brought them."""
