"""Everything that an API, or something before it, has been seen to answer instead of an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

PATIENCE_SECONDS = 60.0
"""How long a client waits for an answer: so long that a busy machine is no fault."""
_IMPATIENCE_SECONDS = 0.1

Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to answer badly."""

    name: str
    answer: Misbehaviour
    patience_seconds: float = PATIENCE_SECONDS
    """How long a client waits for it."""


def status(number: int, *, headers: Mapping[str, str] | None = None, name: str = "") -> Fault:
    """Answer with a status, in the words of a proxy that knows no object."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"error": {"code": number, "message": "something is wrong"}}
        return web.json_response(body, status=number, headers=headers)

    return Fault(name or str(number), answer)


async def _time_out(_: web.Request) -> web.StreamResponse:
    """Answer, but long after the client has lost its patience."""
    await asyncio.sleep(10 * _IMPATIENCE_SECONDS)
    return web.Response(status=504)


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None, "the request came over a connection"
    request.transport.close()
    return web.Response()


async def _half(request: web.Request) -> web.StreamResponse:
    """Promise a body and send its beginning."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 1000
    await response.prepare(request)
    await response.write(b'{"ports": [{"id": "a", "sta')
    assert request.transport is not None, "the request came over a connection"
    request.transport.close()
    return response


async def _half_whole(_: web.Request) -> web.StreamResponse:
    """Send half a JSON text as if it were whole."""
    return web.Response(body=b'{"ports": [{"id": "a", "sta', content_type="application/json")


async def _html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html><h1>Maintenance</h1></html>", content_type="text/html")


async def _empty_object(_: web.Request) -> web.StreamResponse:
    return web.json_response({})


async def _circle(request: web.Request) -> web.StreamResponse:
    """Answer every page with a link to itself."""
    links = [{"rel": "next", "href": str(request.url)}]
    return web.json_response({"ports": [], "ports_links": links})


FAULTS = (
    *(status(number) for number in (400, 401, 403, 404, 409, 413, 414, 429, 500, 502, 503, 504)),
    status(429, headers={"Retry-After": "0"}, name="429 with seconds"),
    status(503, headers={"Retry-After": "Mon, 23 Nov 2026 11:00:00 GMT"}, name="503 with a date"),
    status(302, headers={"Location": "http://127.0.0.1:9/elsewhere"}),
    Fault("time-out", _time_out, patience_seconds=_IMPATIENCE_SECONDS),
    Fault("cut connection", _cut),
    Fault("half a body", _half),
    Fault("half a JSON", _half_whole),
    Fault("an HTML page", _html),
    Fault("another object", _empty_object),
    Fault("an endless loop of pages", _circle),
)


def second_page_of(collection: str, objects: list[dict[str, Any]], fault: Fault) -> Misbehaviour:
    """Answer a list's first page well, with a link to a second one that goes wrong."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if "marker" in request.query:
            return await fault.answer(request)
        following = str(request.url.update_query(marker=str(objects[-1]["id"])))
        links = [{"rel": "next", "href": following}]
        return web.json_response({collection: objects, f"{collection}_links": links})

    return answer
