"""What all the APIs share: who is calling, how an error looks, and the key to the state."""

from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from services.simulator.notification import Actor, Json
from services.simulator.state import State

STATE: web.AppKey[State] = web.AppKey("state", State)
Handler = Callable[[State, web.Request, Actor], web.Response]
"""Answers one authenticated request; reading the world needs no waiting."""
AsyncHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """An answer that is not the asked for; `body` in the shape of the service."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def answer(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Return a JSON response."""
    return web.Response(
        body=orjson.dumps(body), status=status, headers=headers, content_type="application/json"
    )


def authenticated(handler: Handler) -> AsyncHandler:
    """Let `handler` answer those who bring a valid token; all others get 401."""

    async def handle(request: web.Request) -> web.StreamResponse:
        state = request.app[STATE]
        token = state.tokens.get(request.headers.get("X-Auth-Token", ""), state.clock.now())
        if token is None:
            raise unauthorised(request)
        return handler(state, request, token.actor)

    return handle


def unauthorised(request: web.Request) -> Refused:
    """Return the refusal for a missing, wrong or expired token."""
    error = {
        "message": "The request you have made requires authentication.",
        "code": 401,
        "title": "Unauthorized",
    }
    realm = f'Keystone uri="{request.url.origin()}/identity"'
    return Refused(401, {"error": error}, {"WWW-Authenticate": realm})


def fault(name: str, status: int, message: str) -> Refused:
    """Return a refusal as Nova and Cinder word it, such as `itemNotFound`."""
    return Refused(status, {name: {"code": status, "message": message}})


def last(request: web.Request, key: str) -> str | None:
    """Return a query parameter; of a repeated one the last, as most services take it."""
    values = request.query.getall(key, [])
    return values[-1] if values else None


def truth(text: str | None) -> bool:
    """Read a boolean of a query string as oslo.utils does."""
    return (text or "").lower() in {"1", "t", "true", "on", "y", "yes"}


def whole_number(text: str | None, refusal: Callable[[str], Refused], name: str) -> int | None:
    """Read a non-negative number of a query string, or refuse."""
    if text is None:
        return None
    if not text.isdecimal():
        raise refusal(f"{name} param must be an integer and not negative, not {text!r}")
    return int(text)


def next_link(request: web.Request, marker: str) -> list[Json]:
    """Return `<collection>_links` pointing at the page after `marker`."""
    url = request.url.update_query(marker=marker)
    return [{"rel": "next", "href": str(url)}]
