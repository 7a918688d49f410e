"""Keystone v2.0, which clouds had until Queens: tokens by password, with the catalogue of then."""

import orjson
from aiohttp import web

from services.simulator.api.answer import STATE, Refused, answer, unauthorised
from services.simulator.api.identity import endpoints_for, user_named
from services.simulator.notification import Json
from services.simulator.payloads.times import micro
from services.simulator.state import State
from services.simulator.tokens import Token


async def issue_token(request: web.Request) -> web.Response:
    """Answer POST /v2.0/tokens: 200 with the token in the body, or 401."""
    state = request.app[STATE]
    try:
        auth = orjson.loads(await request.read())["auth"]
        given = auth["passwordCredentials"]
        user = user_named(state, given["username"], given["password"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        message = f"Expecting to find auth in request body: {error!r}"
        body = {"error": {"code": 400, "message": message, "title": "Bad Request"}}
        raise Refused(400, body) from error
    if user is None:
        raise unauthorised(request)
    own = state.world.projects[user.project_id]
    if auth.get("tenantName", own.name) != own.name or auth.get("tenantId", own.id) != own.id:
        raise unauthorised(request)
    token = state.tokens.issue(state.world.actor(user.id), state.clock.now(), method="password")
    return answer({"access": _access(state, token, str(request.url.origin()))})


def _access(state: State, token: Token, origin: str) -> Json:
    actor = token.actor
    return {
        "token": {
            "id": token.id,
            "issued_at": micro(token.issued_at),
            "expires": f"{token.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "tenant": {"id": actor.project_id, "name": actor.project_name, "enabled": True},
            "audit_ids": [token.id[-22:]],
        },
        "user": {
            "id": actor.user_id,
            "name": actor.user_name,
            "username": actor.user_name,
            "roles": [{"name": role} for role in actor.roles],
            "roles_links": [],
        },
        "serviceCatalog": [
            {
                "type": kind,
                "name": name,
                "endpoints": [
                    {
                        "id": f"endpoint-{kind}",
                        "region": state.settings.region,
                        "publicURL": url,
                        "internalURL": url,
                        "adminURL": url,
                    }
                ],
                "endpoints_links": [],
            }
            for kind, name, url in endpoints_for(state, actor, origin)
        ],
        "metadata": {"is_admin": 0, "roles": []},
    }


async def version(request: web.Request) -> web.Response:
    """Describe Keystone v2.0."""
    href = f"{request.url.origin()}/identity/v2.0/"
    links = [{"rel": "self", "href": href}]
    document = {"id": "v2.0", "status": "deprecated", "updated": "2016-08-04T00:00:00Z"}
    return answer({"version": document | {"links": links}})
