"""Glance v2: images, 25 a page unless asked for more."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from services.simulator.api.answer import Refused, answer, last, whole_number
from services.simulator.notification import Actor, Json
from services.simulator.objects import Image
from services.simulator.payloads.times import zulu
from services.simulator.state import State
from services.simulator.world import World

_DEFAULT_LIMIT = 25
_STEERING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "visibility"})
_MANY = frozenset({"id", "name", "status", "container_format", "disk_format"})
_VISIBILITIES = frozenset({"public", "private", "shared", "community", "all"})
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": gt,
    "gte": ge,
    "eq": eq,
    "neq": ne,
    "lt": lt,
    "lte": le,
}


def _refused(status: int, message: str) -> Refused:
    return Refused(status, {"message": message, "code": f"{status}", "title": "Refused"})


def _bad_request(message: str) -> Refused:
    return _refused(400, message)


def list_images(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v2/images, newest first, with `next` as a path of its own service."""
    limit = whole_number(last(request, "limit"), _bad_request, "limit")
    most = min(_DEFAULT_LIMIT if limit is None else limit, state.settings.page_limit)
    found = list(islice(_matching(state.world, request, actor), most))
    page: Json = {
        "images": [image_body(image) for image in found],
        "first": "/v2/images",
        "schema": "/v2/schemas/images",
    }
    if found and len(found) == most:
        query = dict(request.query) | {"marker": found[-1].id}
        # Relative to Glance's root, wherever the catalogue says that this is.
        page["next"] = f"/v2/images?{urlencode(query)}"
    return answer(page)


def get_image(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v2/images/{id}; a deleted image is 404."""
    id_ = request.match_info["id"]
    image = state.world.images.get(id_)
    if image is None or not _visible(image, actor):
        raise _refused(404, f"No image found with ID {id_}")
    return answer(image_body(image))


def _matching(world: World, request: web.Request, actor: Actor) -> Iterator[Image]:
    filters = {key: last(request, key) or "" for key in request.query if key not in _STEERING}
    visibility = last(request, "visibility")
    if visibility is not None and visibility not in _VISIBILITIES:
        raise _bad_request(f"Invalid visibility value: {visibility}")
    below = _marker_number(world, last(request, "marker"))
    for image in reversed(world.images):
        if below is not None and image.number >= below:
            continue
        if not _visible(image, actor) or not _shown(image, visibility):
            continue
        if all(_fits(image, key, value) for key, value in filters.items()):
            yield image


def _visible(image: Image, actor: Actor) -> bool:
    own = image.project_id == actor.project_id
    return actor.admin or own or image.visibility in {"public", "community"}


def _shown(image: Image, visibility: str | None) -> bool:
    """Leave out community images unless they, or all, are asked for."""
    if visibility is None:
        return image.visibility != "community"
    return visibility in {"all", image.visibility}


def _fits(image: Image, key: str, wanted: str) -> bool:
    if key in {"created_at", "updated_at"}:
        return _fits_time(getattr(image, key), wanted)
    body = image_body(image)
    actual = str(body.get(key, ""))
    if key in _MANY and wanted.startswith("in:"):
        return actual in wanted.removeprefix("in:").split(",")
    return actual == wanted


def _fits_time(actual: datetime, wanted: str) -> bool:
    """Compare as `gte:<time>`; without an operator as equal. Seconds, as they are shown."""
    operator, _, text = wanted.partition(":")
    if operator not in _OPERATORS:
        operator, text = "eq", wanted
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad_request(f"Invalid time filter {wanted!r}") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _OPERATORS[operator](actual.replace(microsecond=0), aware)


def _marker_number(world: World, marker: str | None) -> int | None:
    if marker is None:
        return None
    image = world.images.get(marker)
    if image is None:
        raise _bad_request(f"Marker image {marker} not found.")
    return image.number


def image_body(image: Image) -> Json:
    """Return an image; its properties stand beside its own fields."""
    return {
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "owner": image.project_id,
        "size": image.size_bytes,
        "virtual_size": None,
        "checksum": image.checksum,
        "os_hash_algo": "sha512" if image.checksum else None,
        "os_hash_value": image.checksum and image.checksum * 4,
        "os_hidden": False,
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "disk_format": "qcow2",
        "container_format": "bare",
        "tags": [],
        "created_at": zulu(image.created_at),
        "updated_at": zulu(image.updated_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
        **image.properties,
    }
