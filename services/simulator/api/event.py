"""Panko's events API as it was observed, with its 500s for mistakes of the caller.

Older releases, Ceilometer's among them, differ as `event_release` says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne

import orjson
from aiohttp import web

from services.simulator.api.answer import Refused, answer, last
from services.simulator.api.event_release import RELEASES, Release
from services.simulator.events import Event, Position, between
from services.simulator.notification import Actor
from services.simulator.state import State

_DEFAULT_LIMIT = 100
_OPERATORS: dict[str, Callable[[float | str, float | str], bool]] = {
    "lt": lt,
    "le": le,
    "eq": eq,
    "ne": ne,
    "ge": ge,
    "gt": gt,
}
_SORTS = {"generated:asc": False, "generated:desc": True}


def _client(message: str) -> Refused:
    return _fault(400, "Client", message)


def _server(message: str) -> Refused:
    return _fault(500, "Server", message)


def _fault(status: int, code: str, message: str) -> Refused:
    error = {"debuginfo": None, "faultcode": code, "faultstring": message}
    return Refused(status, {"error_message": error})


@dataclass(slots=True)
class _Query:
    """What the `q` conditions come to; of a repeated field the last counts."""

    release: Release
    start: datetime | None = None
    end: datetime | None = None
    event_type: str | None = None
    message_id: str | None = None
    all_tenants: bool = False
    traits: list[tuple[str, str, str, str]] = field(default_factory=list)


def list_events(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v2/events: oldest first, 100 unless a limit is given, and no upper limit."""
    release = release_of(state)
    if release.admin_only and not actor.admin:
        raise Refused(401, {"error_message": "Not Authorized"})
    unknown = sorted(set(request.query) - release.parameters)
    if unknown:
        raise _client(f'Unknown argument: "{unknown[0]}"')
    query = _read(request, actor, release)
    limit = _limit(request) if release.limited else None
    backwards = _backwards(request)
    positions = state.events.visible(state.clock.now())
    low, high = between(positions, query.start, query.end)
    low, high = _after_marker(state, request, low, high, backwards=backwards)
    page: list[bytes] = []
    order = range(high - 1, low - 1, -1) if backwards else range(low, high)
    for index in order:
        event = _event(state, positions[index])
        if _visible(event, actor, query) and _fits(event, query):
            page.append(event.body)
            if len(page) == limit:
                break
    return web.Response(body=b"[" + b",".join(page) + b"]", content_type="application/json")


def get_event(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v2/events/{message_id}; absent or not the caller's is 404."""
    id_ = request.match_info["id"]
    state.events.visible(state.clock.now())
    event = state.events.get(id_)
    if event is None or not _visible(event, actor, _Query(release_of(state))):
        raise _fault(404, "Client", f"Event {id_} Not Found")
    return web.Response(body=event.body, content_type="application/json")


def list_event_types(state: State, _: web.Request, actor: Actor) -> web.Response:
    """Answer GET /v2/event_types; administrators only, and 401 for the others."""
    if not actor.admin:
        raise Refused(401, {"error_message": "Not Authorized"})
    positions = state.events.visible(state.clock.now())
    return answer(sorted({_event(state, position).event_type for position in positions}))


def _event(state: State, position: Position) -> Event:
    event = state.events.get(position[1])
    assert event is not None, "every position has its event"
    return event


def _read(request: web.Request, actor: Actor, release: Release) -> _Query:
    """Zip the conditions by position, as WSME does: one value missing is a 500."""
    given = {
        part: request.query.getall(f"q.{part}", []) for part in ("field", "op", "value", "type")
    }
    count = len(given["field"])
    if any(values and len(values) != count for values in given.values()):
        raise _server("list index out of range")
    ops = given["op"] or ["eq"] * count
    types = given["type"] or [""] * count
    if count and not given["value"]:
        raise _client('Mandatory field missing. "q.value"')
    query = _Query(release)
    for name, op, value, kind in zip(given["field"], ops, given["value"], types, strict=True):
        _apply(query, actor, (name, op or "eq", value, kind or "string"))
    return query


def _apply(query: _Query, actor: Actor, condition: tuple[str, str, str, str]) -> None:
    name, op, value, _ = condition
    release = query.release
    if name == release.start:
        _demand(name, op, release.start_op)
        query.start = _time(value)
    elif name == release.end:
        _demand(name, op, release.end_op)
        query.end = _time(value)
    elif name in {"event_type", "message_id"}:
        _demand(name, op, "eq")
        setattr(query, name, value)
    elif name == "all_tenants" and actor.admin and release.all_tenants:
        query.all_tenants = value.lower() == "true"
    else:
        # An unknown field is a trait, also `all_tenants` of a member: empty, and no error.
        query.traits.append(condition)


def release_of(state: State) -> Release:
    """Return the release that the settings ask for."""
    return RELEASES[state.settings.events_release]


def _demand(name: str, op: str, only: str | None) -> None:
    if only is not None and op != only:
        raise _client(
            f"Operator {op} is not supported. Only `{only}' operator is available for field {name}"
        )


def _time(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise _server(f"Unable to parse timestamp {value}") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _limit(request: web.Request) -> int:
    text = last(request, "limit")
    if text is None:
        return _DEFAULT_LIMIT
    try:
        limit = int(text)
    except ValueError as error:
        raise _client(f"Invalid input for field/attribute limit. Value: '{text}'.") from error
    if limit < 0:
        raise _client("Limit should be positive")
    return limit or _DEFAULT_LIMIT


def _backwards(request: web.Request) -> bool:
    """Read the sort; only by `generated` and `message_id`, the first key decides."""
    keys = request.query.getall("sort", [])
    if not keys or keys[0].startswith("message_id"):
        return False
    text = keys[0] if ":" in keys[0] else f"{keys[0]}:asc"
    if text not in _SORTS:
        raise _client(f"Invalid sort key or direction: {keys[0]}")
    return _SORTS[text]


def _after_marker(
    state: State, request: web.Request, low: int, high: int, *, backwards: bool
) -> tuple[int, int]:
    marker = last(request, "marker")
    if marker is None:
        return low, high
    event = state.events.get(marker)
    if event is None:
        raise _server(f"Marker {marker} not found.")
    positions = state.events.visible(state.clock.now())
    start, end = between(positions, event.position[0], event.position[0])
    place = positions.index(event.position, start, end)
    return (low, min(high, place)) if backwards else (max(low, place + 1), high)


def _visible(event: Event, actor: Actor, query: _Query) -> bool:
    """Tell whether the caller may see it; an administrator sees all only with `all_tenants`."""
    if not actor.admin:
        return event.project_id == actor.project_id and event.user_id == actor.user_id
    return query.all_tenants or event.project_id in {None, actor.project_id}


def _fits(event: Event, query: _Query) -> bool:
    if query.event_type is not None and event.event_type != query.event_type:
        return False
    if query.message_id is not None and event.position[1] != query.message_id:
        return False
    return not query.traits or all(_traits_fit(event, query.traits))


def _traits_fit(event: Event, conditions: list[tuple[str, str, str, str]]) -> Iterator[bool]:
    """Compare traits of the asked type only: each type has a table of its own."""
    traits = {(t["name"], t["type"]): t["value"] for t in orjson.loads(event.body)["traits"]}
    for name, op, wanted, kind in conditions:
        actual = traits.get((name, kind))
        if actual is None:
            yield False
        elif kind in {"integer", "float"}:
            yield _OPERATORS[op](float(actual), float(wanted))
        else:
            yield _OPERATORS[op](actual, wanted)
