"""The HTTP end of the webhook: one listener for all clouds, told apart by the path.

It opens with the first source that wants it and closes with the last. Who posts is known by HTTP
Basic or by a client certificate, before anything of the body is read; bodies and the number of
requests at once are bounded.
"""

import asyncio
import base64
import hmac
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import structlog
from aiohttp import web

from services.catcher.decoding.ceilometer_body import open_body
from services.catcher.sources.webhook import Outcome, WebhookSource
from shared.errors import CloudUnavailable, UnreadableNotification

_GOODBYE_SECONDS = 1.0
_RETRY_AFTER_SECONDS = "5"
_WHY_LATER = {
    Outcome.LATE: "the bus has not confirmed in time; the events are kept and will be delivered",
    Outcome.NO_ROOM: "the bus does not take what came before",
    Outcome.LEAVING: "this copy of the catcher is about to stop",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may post: with this user and password, or, without, with a client certificate."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def allow(self, request: web.Request) -> bool:
        """Tell whether `request` comes from who may post."""
        if self.password is None:
            return bool(request.get_extra_info("peercert"))
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            pair = base64.b64decode(given.strip(), validate=True)
        except ValueError:
            return False
        wanted = f"{self.user or ''}:{self.password}".encode()
        return hmac.compare_digest(pair, wanted) and scheme.lower() == "basic"


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the listener."""

    body_bytes: int
    """Of one request."""
    room_bytes: int
    """Of all requests of a cloud whose events the bus has not confirmed."""
    requests: int
    """At once, of all clouds."""
    answer_within: timedelta
    """Ceilometer gives up after 5 s (`timeout` in the publisher's URL)."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where one cloud's events are posted to, by whom, and who takes and counts them."""

    path: str
    credentials: Credentials
    source: WebhookSource
    count: Callable[[str], None]


class WebhookListener:
    """Listens while there is a route."""

    def __init__(
        self, host: str, port: int, *, limits: Limits, tls: ssl.SSLContext | None = None
    ) -> None:
        self.limits = limits
        self.port: int | None = None
        """Where it listens; None while it does not."""
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._routes: dict[str, Route] = {}
        self._runner: web.AppRunner | None = None
        self._changing = asyncio.Lock()
        self._turns = asyncio.Semaphore(limits.requests)

    @asynccontextmanager
    async def serving(self, route: Route) -> AsyncIterator[None]:
        """Serve `route` until the context is left; CloudUnavailable when nothing can listen."""
        async with self._changing:
            self._routes[route.path] = route
            try:
                if self._runner is None:
                    self._runner = await self._listen()
            except CloudUnavailable:
                del self._routes[route.path]
                raise
        try:
            yield
        finally:
            async with self._changing:
                del self._routes[route.path]
                if not self._routes and self._runner is not None:
                    await self._runner.cleanup()
                    self._runner = self.port = None

    async def _listen(self) -> web.AppRunner:
        application = web.Application(client_max_size=self.limits.body_bytes)
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._wanted_port, ssl_context=self._tls)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise CloudUnavailable(
                f"the webhook cannot listen on {self._host} port {self._wanted_port}:"
                f" {error.strerror or error}; set webhook.port"
            ) from error
        self.port = runner.addresses[0][1]
        log.info("webhook_listens", host=self._host, port=self.port, tls=self._tls is not None)
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        route = self._routes.get(request.path)
        if route is None:
            return _said(HTTPStatus.NOT_FOUND, "no cloud is posted to at this path")
        if not route.credentials.allow(request):
            route.count("unauthorized")
            return _said(
                HTTPStatus.UNAUTHORIZED,
                "user and password, or the client certificate, are not those of this path",
                {"WWW-Authenticate": 'Basic realm="osevents"'},
            )
        if request.method != "POST":
            return _said(HTTPStatus.METHOD_NOT_ALLOWED, "events are posted", {"Allow": "POST"})
        if self._turns.locked():
            route.source.turn_away()
            route.count(Outcome.NO_ROOM)
            return _try_later("too many requests at once")
        async with self._turns:
            return await self._take(route, request)

    async def _take(self, route: Route, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(self.limits.answer_within.total_seconds()):
                body = await request.read()
        except TimeoutError:
            route.count("refused")
            return _said(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time")
        except web.HTTPRequestEntityTooLarge:
            reason = f"the body has more than {self.limits.body_bytes} bytes"
            return _refused(route, reason, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            items = open_body(body)
        except UnreadableNotification as error:
            return _refused(route, str(error), HTTPStatus.BAD_REQUEST)
        route.source.refusal = None
        outcome = await route.source.post(items, len(body))
        route.count(outcome)
        if outcome is Outcome.TAKEN:
            return web.json_response({"taken": len(items)})
        return _try_later(_WHY_LATER[outcome])


def _refused(route: Route, reason: str, status: HTTPStatus) -> web.Response:
    if route.source.refusal != reason:
        log.warning("webhook_refused", path=route.path, reason=reason)
    route.source.refusal = reason
    route.count("refused")
    return _said(status, reason)


def _try_later(reason: str) -> web.Response:
    headers = {"Retry-After": _RETRY_AFTER_SECONDS}
    return _said(HTTPStatus.SERVICE_UNAVAILABLE, reason, headers)


def _said(status: HTTPStatus, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": reason}, status=status, headers=headers)
