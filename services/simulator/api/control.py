"""The simulator's own calls, under /_simulator: for tests, benchmarks and demonstrations.

No OpenStack has these. They need no token and never misbehave.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.simulator.api.answer import STATE, Refused, answer
from services.simulator.life.life import Rate
from services.simulator.notification import Json
from services.simulator.settings import Misbehaviour
from services.simulator.state import State
from services.simulator.truth import truth


class LifeOrder(BaseModel):
    """What to do with the life."""

    model_config = ConfigDict(extra="forbid")

    running: bool | None = None
    """Begin operations, or begin no more."""
    rate: float | None = Field(default=None, ge=0)
    """Operations a second."""
    notifications_per_second: float | None = Field(default=None, ge=0)
    """Instead of `rate`."""
    notifications: int | None = Field(default=None, ge=1)
    """Stop after this many more; operations then in flight still end."""
    begin: list[str] = []
    """Begin one operation of each of these names now."""


async def get_truth(request: web.Request) -> web.Response:
    """Return every living object of a kind, by id, as an administrator's API call shows it."""
    kind = request.match_info["kind"]
    try:
        return answer(truth(request.app[STATE].world, kind))
    except KeyError as error:
        raise Refused(404, {"error": f"the simulator has no kind {kind!r}"}) from error


async def get_calls(request: web.Request) -> web.Response:
    """Return the number of API calls by service and kind of call, and of tokens issued."""
    state = request.app[STATE]
    services: dict[str, dict[str, int]] = {}
    for (service, call), count in sorted(state.calls.items()):
        services.setdefault(service, {})[call] = count
    totals = Counter({service: sum(calls.values()) for service, calls in services.items()})
    return answer({"services": services, "totals": totals, "tokens_issued": state.tokens.issued})


async def get_misbehaviour(request: web.Request) -> web.Response:
    """Return how the cloud misbehaves now, and what came of it."""
    state = request.app[STATE]
    return answer(
        {
            "misbehaviour": state.misbehaviour.model_dump(),
            "notifications": dict(state.notifier.counts),
        }
    )


async def get_lost(request: web.Request) -> web.Response:
    """Return the latest notifications that were lost on purpose, the oldest first."""
    return answer({"lost": list(request.app[STATE].notifier.lost)})


async def set_misbehaviour(request: web.Request) -> web.Response:
    """Misbehave from now on as the body says; `{}` ends it."""
    state = request.app[STATE]
    state.misbehave(_validated(Misbehaviour.model_validate_json, await request.text()))
    return await get_misbehaviour(request)


async def get_life(request: web.Request) -> web.Response:
    """Return how the life goes."""
    return answer(_life(request.app[STATE]))


async def set_life(request: web.Request) -> web.Response:
    """Start, stop or limit the life, or begin single operations."""
    state = request.app[STATE]
    order = _validated(LifeOrder.model_validate_json, await request.text() or "{}")
    _obey(state, order)
    state.wake()
    return answer(_life(state))


async def revoke_tokens(request: web.Request) -> web.Response:
    """Make every token invalid: the next call of every client gets 401."""
    request.app[STATE].tokens.revoke_all()
    return answer({})


def _obey(state: State, order: LifeOrder) -> None:
    life = state.life
    life.rest(state.clock.now())
    for name in order.begin:
        try:
            begun = life.begin(name)
        except KeyError as error:
            raise Refused(400, {"error": f"the life knows no operation {name!r}"}) from error
        if not begun:
            raise Refused(409, {"error": f"there is nothing to {name!r} now"})
    if order.running is False:
        life.stop()
    elif order.model_fields_set - {"begin"}:
        per_second = order.notifications_per_second or 0
        rate = state.settings.rate if order.rate is None else order.rate
        speed = Rate(notifications=per_second) if per_second else Rate(operations=rate)
        life.start(speed, notifications=order.notifications)


def _life(state: State) -> Json:
    life = state.life
    return {
        "running": life.beginning,
        "idle": not life.beginning and not life.in_flight,
        "in_flight": life.in_flight,
        "sent": life.sent,
        "operations": dict(life.operations),
        "notifications": dict(life.notifications),
    }


def _validated(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValidationError as error:
        problems = [f"{each['loc']}: {each['msg']}" for each in error.errors()]
        raise Refused(400, {"error": problems}) from error
