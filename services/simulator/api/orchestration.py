"""Heat: stacks with its traps, and their resources.

`global_tenant` is denied to everybody, a stack by its id alone is a redirect, and a deleted stack
is still shown, as deleted.
"""

from aiohttp import web

from services.simulator.api.answer import Refused, answer, last, next_link, truth, whole_number
from services.simulator.notification import Actor, Json
from services.simulator.objects import Item
from services.simulator.operations.stacks import RESOURCE, STACK
from services.simulator.state import State
from services.simulator.world import World

_EXPLANATIONS = {
    400: "The server could not comply with the request.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
}
_ONLY_WHEN_SHOWN = ("parameters", "outputs", "timeout_mins", "disable_rollback", "capabilities")


def _refused(status: int, title: str, message: str) -> Refused:
    error = {"message": message, "type": title.replace(" ", ""), "traceback": None}
    body = {"explanation": _EXPLANATIONS[status], "code": status, "title": title, "error": error}
    return Refused(status, body)


def _bad_request(message: str) -> Refused:
    return _refused(400, "Bad Request", message)


def list_stacks(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /stacks: those of the token's project, newest first, nested ones when asked."""
    _check_project(request, actor)
    if truth(last(request, "global_tenant")):
        raise _refused(403, "Forbidden", "You are not authorized to use global_index.")
    nested = truth(last(request, "show_nested"))
    ids = request.query.getall("id", [])
    found = [
        item
        for item in reversed(state.world.table(STACK))
        if item.project_id == actor.project_id
        and (nested or item.body["parent"] is None)
        and (not ids or item.id in ids)
    ]
    marker = last(request, "marker")
    if marker is not None:
        places = [item.id for item in found]
        if marker not in places:
            raise _bad_request(f"The marker {marker} is invalid.")
        found = found[places.index(marker) + 1 :]
    limit = whole_number(last(request, "limit"), _bad_request, "limit")
    page = found[:limit] if limit else found
    reply: Json = {"stacks": [stack_body(item, str(request.url.origin())) for item in page]}
    if limit and len(page) == limit:
        reply["links"] = next_link(request, page[-1].id)
    return answer(reply)


def redirect_to_stack(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /stacks/{id} with a redirect to where the stack has both its names."""
    item = _stack(state.world, request, actor)
    base = f"{request.url.origin()}/orchestration/v1/{item.project_id}/stacks"
    location = f"{base}/{item.body['stack_name']}/{item.id}"
    return answer({"code": 302, "title": "Found"}, status=302, headers={"Location": location})


def get_stack(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /stacks/{name}/{id}: more than a list shows, and deleted stacks, too.

    What is empty there is so in other words than in lists.
    """
    item = _stack(state.world, request, actor)
    body = stack_body(item, str(request.url.origin()))
    body |= {"tags": body["tags"] or [], "description": body["description"] or "No description"}
    return answer({"stack": body | dict.fromkeys(_ONLY_WHEN_SHOWN)})


def list_resources(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /stacks/{name}/{id}/resources, unpaged."""
    stack = _stack(state.world, request, actor)
    bodies = [
        {key: value for key, value in item.body.items() if key != "stack_id"}
        for item in state.world.table(RESOURCE)
        if item.body["stack_id"] == stack.id
    ]
    return answer({"resources": bodies})


def stack_body(item: Item, origin: str) -> Json:
    """Return a stack as lists show it."""
    path = f"/orchestration/v1/{item.project_id}/stacks/{item.body['stack_name']}/{item.id}"
    return {**item.body, "links": [{"rel": "self", "href": origin + path}]}


def _check_project(request: web.Request, actor: Actor) -> None:
    if request.match_info["project_id"] != actor.project_id and not actor.admin:
        raise _refused(403, "Forbidden", "You are not authorized to complete this action.")


def _stack(world: World, request: web.Request, actor: Actor) -> Item:
    _check_project(request, actor)
    id_ = request.match_info["id"]
    item = world.table(STACK).get(id_) or world.deleted_stacks.get(id_)
    if item is None or not (actor.admin or item.project_id == actor.project_id):
        raise _refused(404, "Not Found", f"The Stack ({id_}) could not be found.")
    return item
