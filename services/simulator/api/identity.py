"""Keystone v3: tokens by password and application credential, the catalogue, projects."""

from typing import Any

import orjson
from aiohttp import web

from services.simulator.api.answer import STATE, Refused, answer, last, truth, unauthorised
from services.simulator.api.event import release_of
from services.simulator.notification import Actor, Json
from services.simulator.objects import Project, User
from services.simulator.payloads.times import micro
from services.simulator.state import State
from services.simulator.tokens import Token

_DOMAIN = {"id": "default", "name": "Default"}
_FILTERS = ("name", "domain_id", "enabled", "parent_id")
_ENDPOINTS = (
    ("identity", "keystone", "/identity"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/network"),
    ("volumev3", "cinderv3", "/volume/v3/{project_id}"),
    ("image", "glance", "/image"),
    ("orchestration", "heat", "/orchestration/v1/{project_id}"),
    ("baremetal", "ironic", "/baremetal"),
    ("load-balancer", "octavia", "/load-balancer"),
    ("sharev2", "manilav2", "/share/v2"),
    ("object-store", "swift", "/object-store/v1/AUTH_{project_id}"),
)
_ALWAYS = frozenset({"identity", "compute", "network", "volume", "image"})


def _events(state: State) -> tuple[str, str, str]:
    release = release_of(state)
    name = "panko" if release.service_type == "event" else "ceilometer"
    return (release.service_type, name, release.path)


def application_credential_id(user: User) -> str:
    """Return the id of the one application credential that each user has."""
    return user.id[::-1]


async def issue_token(request: web.Request) -> web.Response:
    """Answer POST /v3/auth/tokens: 201 with the token in X-Subject-Token, or 401."""
    state = request.app[STATE]
    try:
        auth = orjson.loads(await request.read())["auth"]
        method = auth["identity"]["methods"][0]
        user = _identify(state, auth["identity"][method], method)
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError) as error:
        message = f"Invalid input for field 'auth': {error!r}"
        body = {"error": {"code": 400, "message": message, "title": "Bad Request"}}
        raise Refused(400, body) from error
    if user is None or not _may_scope(state, user, auth.get("scope")):
        raise unauthorised(request)
    actor = state.world.actor(user.id)
    token = state.tokens.issue(actor, state.clock.now(), method=method)
    headers = {"X-Subject-Token": token.id, "Vary": "X-Auth-Token"}
    body = {"token": _token_body(state, token, str(request.url.origin()))}
    return answer(body, status=201, headers=headers)


def _identify(state: State, proof: Any, method: str) -> User | None:
    """Return the user that the proof is for, or None when it does not convince."""
    secret = state.settings.password.get_secret_value()
    if method == "password":
        given = proof["user"]
        found = [
            user
            for user in state.world.users
            if user.id == given.get("id") or user.name == given.get("name")
        ]
        return found[0] if found and given["password"] == secret else None
    if method == "application_credential":
        found = [
            user for user in state.world.users if application_credential_id(user) == proof["id"]
        ]
        return found[0] if found and proof["secret"] == secret else None
    return None


def _may_scope(state: State, user: User, scope: Any) -> bool:
    """Tell whether the user has a role in the project asked for; without one it is their own."""
    wanted = (scope or {}).get("project")
    if wanted is None:
        return not scope
    own = state.world.projects[user.project_id]
    return own.id == str(wanted.get("id")) or own.name == str(wanted.get("name"))


def _token_body(state: State, token: Token, origin: str) -> Json:
    actor = token.actor
    return {
        "methods": list(token.methods),
        "user": {
            "id": actor.user_id,
            "name": actor.user_name,
            "domain": _DOMAIN,
            "password_expires_at": None,
        },
        "audit_ids": [token.id[-22:]],
        "issued_at": f"{micro(token.issued_at)}Z",
        "expires_at": f"{micro(token.expires_at)}Z",
        "project": {"id": actor.project_id, "name": actor.project_name, "domain": _DOMAIN},
        "is_domain": False,
        "roles": [{"id": f"role-{role}", "name": role} for role in actor.roles],
        "catalog": _catalogue(state, actor, origin),
    }


def _catalogue(state: State, actor: Actor, origin: str) -> list[Json]:
    region = state.settings.region
    return [
        {
            "id": f"service-{kind}",
            "type": kind,
            "name": name,
            "endpoints": [
                {
                    "id": f"endpoint-{kind}-{interface}",
                    "interface": interface,
                    "region": region,
                    "region_id": region,
                    "url": url,
                }
                for interface in ("public", "internal", "admin")
            ],
        }
        for kind, name, url in endpoints_for(state, actor, origin)
    ]


def endpoints_for(state: State, actor: Actor, origin: str) -> list[tuple[str, str, str]]:
    """Return type, name and address of every service."""
    offered = _ALWAYS | set(state.settings.services)
    services = [each for each in _ENDPOINTS if each[2].split("/")[1] in offered]
    if "event" in offered:
        services.append(_events(state))
    return [
        (kind, name, origin + path.format(project_id=actor.project_id))
        for kind, name, path in services
    ]


def user_named(state: State, name: str, password: str) -> User | None:
    """Return the user of that name, None when there is none or the password is wrong."""
    if password != state.settings.password.get_secret_value():
        return None
    return next((user for user in state.world.users if user.name == name), None)


def list_projects(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v3/projects, unpaged (as before 2025.1); unknown filters are ignored."""
    _require_admin(actor, "identity:list_projects")
    origin = str(request.url.origin())
    bodies = [project_body(project, origin) for project in state.world.projects]
    for key in _FILTERS:
        wanted = last(request, key)
        if wanted is not None:
            expected = truth(wanted) if key == "enabled" else wanted
            bodies = [body for body in bodies if body[key] == expected]
    links = {"self": str(request.url), "previous": None, "next": None}
    return answer({"projects": bodies, "links": links})


def get_project(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v3/projects/{id}; everybody may see their own."""
    id_ = request.match_info["id"]
    if id_ != actor.project_id:
        _require_admin(actor, "identity:get_project")
    project = state.world.projects.get(id_)
    if project is None:
        message = f"Could not find project: {id_}."
        raise Refused(404, {"error": {"code": 404, "message": message, "title": "Not Found"}})
    return answer({"project": project_body(project, str(request.url.origin()))})


def _require_admin(actor: Actor, rule: str) -> None:
    if not actor.admin:
        message = f"You are not authorized to perform the requested action: {rule}."
        raise Refused(403, {"error": {"code": 403, "message": message, "title": "Forbidden"}})


def project_body(project: Project, origin: str) -> Json:
    """Return a project."""
    return {
        "id": project.id,
        "name": project.name,
        "description": "",
        "domain_id": "default",
        "parent_id": "default",
        "enabled": True,
        "is_domain": False,
        "tags": [],
        "options": {},
        "links": {"self": f"{origin}/identity/v3/projects/{project.id}"},
    }
