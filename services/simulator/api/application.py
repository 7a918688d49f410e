"""All APIs as one web application: routes, counting of calls, misbehaviour on demand, refusals."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler as Next

from services.simulator.api import (
    compute,
    compute_lists,
    control,
    event,
    extra_lists,
    identity,
    identity_lists,
    identity_v2,
    image,
    network,
    orchestration,
    plain,
    versions,
    volume,
    volume_lists,
)
from services.simulator.api.answer import STATE, AsyncHandler, Refused, answer, authenticated
from services.simulator.settings import APIMisbehaviour
from services.simulator.state import State

_PLAIN = (
    *compute_lists.COLLECTIONS,
    *volume_lists.COLLECTIONS,
    *identity_lists.COLLECTIONS,
    *extra_lists.COLLECTIONS,
)
_CONTROL = "_simulator"
_WELL_BEHAVED = APIMisbehaviour()


def application(state: State) -> web.Application:
    """Return the application that answers for `state`."""
    app = web.Application(middlewares=[_count, _refuse, _misbehave])
    app[STATE] = state
    for path, handler in _version_routes():
        # Clients ask with and without the slash.
        app.router.add_get(path, handler)
        app.router.add_get(f"{path}/", handler)
    app.router.add_post("/identity/v3/auth/tokens", identity.issue_token)
    app.router.add_post("/identity/v2.0/tokens", identity_v2.issue_token)
    for path, handler in (*_read_routes(), *_event_routes(state)):
        app.router.add_get(path, handler)
    for collection in network.COLLECTIONS:
        index, show = network.handlers(collection)
        app.router.add_get(f"/network/v2.0/{collection.name}", index)
        app.router.add_get(f"/network/v2.0/{collection.name}/{{id}}", show)
    for listed in _PLAIN:
        _add_plain(app, listed)
    _add_control(app)
    return app


def _add_plain(app: web.Application, listed: plain.Plain) -> None:
    index, show = plain.handlers(listed)
    # Octavia answers under both names of its version.
    for path in dict.fromkeys((listed.path, listed.path.replace("/v2/lbaas", "/v2.0/lbaas"))):
        app.router.add_get(path, index)
        if listed.detail:
            app.router.add_get(f"{path}/{listed.detail}", index)
        if listed.shows:
            app.router.add_get(f"{path}/{{id}}", show)


def _version_routes() -> list[tuple[str, AsyncHandler]]:
    return [
        ("/identity", versions.identity_root),
        ("/identity/v3", versions.identity_v3),
        ("/identity/v2.0", identity_v2.version),
        ("/compute", versions.compute_root),
        ("/compute/v2.1", versions.compute_v21),
        ("/network", versions.network_root),
        ("/volume", versions.volume_root),
        ("/volume/v3", versions.volume_v3),
        ("/image", versions.image_root),
        ("/orchestration", versions.orchestration_root),
        ("/baremetal", versions.baremetal_root),
        ("/baremetal/v1", versions.baremetal_v1),
        ("/load-balancer", versions.balancer_root),
        ("/load-balancer/v2", versions.balancer_root),
        ("/share/v2", versions.share_root),
    ]


def _read_routes() -> list[tuple[str, AsyncHandler]]:
    return [
        (path, authenticated(handler))
        for path, handler in (
            ("/identity/v3/projects", identity.list_projects),
            ("/identity/v3/projects/{id}", identity.get_project),
            ("/compute/v2.1/servers/detail", compute.list_servers),
            ("/compute/v2.1/servers/{id}", compute.get_server),
            ("/network/v2.0/extensions", network.list_extensions),
            ("/volume/v3/{project_id}/volumes/detail", volume.list_volumes),
            ("/volume/v3/{project_id}/volumes/{id}", volume.get_volume),
            ("/image/v2/images", image.list_images),
            ("/image/v2/images/{id}", image.get_image),
            ("/orchestration/v1/{project_id}/stacks", orchestration.list_stacks),
            ("/orchestration/v1/{project_id}/stacks/{id}", orchestration.redirect_to_stack),
            ("/orchestration/v1/{project_id}/stacks/{name}/{id}", orchestration.get_stack),
            (
                "/orchestration/v1/{project_id}/stacks/{name}/{id}/resources",
                orchestration.list_resources,
            ),
            ("/object-store/v1/AUTH_{project_id}", extra_lists.list_containers),
            ("/object-store/v1/AUTH_{project_id}/", extra_lists.list_containers),
        )
    ]


def _event_routes(state: State) -> list[tuple[str, AsyncHandler]]:
    root = event.release_of(state).path
    return [
        (root, versions.event_root),
        (f"{root}/", versions.event_root),
        (f"{root}/v2/events", authenticated(event.list_events)),
        (f"{root}/v2/events/{{id}}", authenticated(event.get_event)),
        (f"{root}/v2/event_types", authenticated(event.list_event_types)),
    ]


def _add_control(app: web.Application) -> None:
    router = app.router
    router.add_get(f"/{_CONTROL}/truth/{{kind}}", control.get_truth)
    router.add_get(f"/{_CONTROL}/calls", control.get_calls)
    router.add_get(f"/{_CONTROL}/misbehaviour", control.get_misbehaviour)
    router.add_post(f"/{_CONTROL}/misbehaviour", control.set_misbehaviour)
    router.add_get(f"/{_CONTROL}/lost", control.get_lost)
    router.add_get(f"/{_CONTROL}/life", control.get_life)
    router.add_post(f"/{_CONTROL}/life", control.set_life)
    router.add_post(f"/{_CONTROL}/revoke-tokens", control.revoke_tokens)


def _service(request: web.Request) -> str:
    return request.path.split("/", 2)[1]


@web.middleware
async def _count(request: web.Request, handler: Next) -> web.StreamResponse:
    """Count the call by the pattern of its path, so that ids do not make kinds of their own."""
    resource = request.match_info.route.resource
    kind = request.path if resource is None else resource.canonical
    service = _service(request)
    if service != _CONTROL:
        prefix = f"/{service}"
        call = f"{request.method} {kind.removeprefix(prefix) or '/'}"
        request.app[STATE].calls[service, call] += 1
    return await handler(request)


@web.middleware
async def _refuse(request: web.Request, handler: Next) -> web.StreamResponse:
    """Turn refusals into responses."""
    try:
        return await handler(request)
    except Refused as refused:
        return answer(refused.body, status=refused.status, headers=refused.headers)


@web.middleware
async def _misbehave(request: web.Request, handler: Next) -> web.StreamResponse:
    """Be slow, or fail before anything is done, as the settings for this service say."""
    state = request.app[STATE]
    apis = {str(name): behaviour for name, behaviour in state.misbehaviour.apis.items()}
    behaviour = apis.get(_service(request), _WELL_BEHAVED)
    if behaviour.delay:
        await asyncio.sleep(behaviour.delay)
    if behaviour.failing and state.random.random() < behaviour.failing:
        again = behaviour.retry_after
        headers = {} if again is None else {"Retry-After": str(again)}
        message = {"code": behaviour.status, "message": "The service misbehaves on purpose."}
        raise Refused(behaviour.status, {"error": message}, headers)
    return await handler(request)
