"""Neutron v2.0: one way of listing, filtering and paging for all its collections."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aiohttp import web

from services.simulator.api.answer import (
    AsyncHandler,
    Refused,
    answer,
    authenticated,
    last,
    next_link,
    truth,
    whole_number,
)
from services.simulator.notification import Actor, Json
from services.simulator.objects import Network, Stamped
from services.simulator.payloads import neutron as show
from services.simulator.state import State
from services.simulator.table import Table
from services.simulator.world import World

_STEERING = frozenset({"fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse"})
_UNFILTERABLE = frozenset(
    {
        "subnets",
        "external_gateway_info",
        "port_details",
        "port_forwardings",
        "allocation_pools",
        "host_routes",
        "dns_nameservers",
        "security_group_rules",
        "rules",
        "prefixes",
        "configurations",
        "heartbeat_timestamp",
        "availability_zones",
        "availability_zone_hints",
        "binding:vif_details",
        "binding:profile",
        "created_at",
        "updated_at",
    }
)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of Neutron: where it stands in the world, and how an object is shown."""

    name: str
    singular: str
    table: Callable[[World], Table[Any]]
    shown: Callable[..., Json]


COLLECTIONS = (
    Collection("networks", "network", lambda world: world.networks, show.network),
    Collection("subnets", "subnet", lambda world: world.subnets, show.subnet),
    Collection("ports", "port", lambda world: world.ports, show.port),
    Collection("routers", "router", lambda world: world.routers, show.router),
    Collection("floatingips", "floatingip", lambda world: world.floating_ips, show.floating_ip),
    Collection(
        "security-groups",
        "security_group",
        lambda world: world.security_groups,
        show.security_group,
    ),
    Collection(
        "security-group-rules",
        "security_group_rule",
        lambda world: world.rules,
        show.security_group_rule,
    ),
    Collection("subnetpools", "subnetpool", lambda world: world.subnet_pools, show.subnet_pool),
    Collection("trunks", "trunk", lambda world: world.trunks, show.trunk),
    Collection("qos/policies", "policy", lambda world: world.qos_policies, show.qos_policy),
    Collection("agents", "agent", lambda world: world.agents, show.network_agent),
)
_EXTENSIONS = ("agent", "filter-validation", "qos", "router", "security-group", "trunk")


def list_extensions(_: State, __: web.Request, ___: Actor) -> web.Response:
    """Answer GET /v2.0/extensions."""
    return answer({"extensions": [{"alias": alias, "name": alias} for alias in _EXTENSIONS]})


def handlers(collection: Collection) -> tuple[AsyncHandler, AsyncHandler]:
    """Return what answers GET of the collection, and of one object in it."""

    def index(state: State, request: web.Request, actor: Actor) -> web.Response:
        return _list(collection, state, request, actor)

    def show_one(state: State, request: web.Request, actor: Actor) -> web.Response:
        return _get(collection, state.world, request, actor)

    return authenticated(index), authenticated(show_one)


def _list(collection: Collection, state: State, request: web.Request, actor: Actor) -> web.Response:
    """List objects in the order of their ids; without `limit` all of them."""
    world = state.world
    _make_default_group(collection, world, request)
    filters = {key: set(request.query.getall(key)) for key in request.query if key not in _STEERING}
    limit = whole_number(last(request, "limit"), _invalid, "limit")
    limit = min(limit, state.settings.page_limit) if limit else None
    bodies = _matching(collection, world, filters, actor, _marker(collection, world, request))
    page = list(islice(bodies, limit)) if limit else list(bodies)
    key = collection.name.rpartition("/")[2].replace("-", "_")
    fields = [field for field in request.query.getall("fields", []) if field]
    shown = [_only(_as_listed(body), fields) for body in page]
    result: Json = {key: shown}
    if limit and len(page) == limit:
        result[f"{key}_links"] = next_link(request, page[-1]["id"])
    return answer(result)


def _make_default_group(collection: Collection, world: World, request: web.Request) -> None:
    """Make the default group of the first project asked for: Neutron shows it rather than none."""
    project_id = next(iter(request.query.getall("project_id", [])), None)
    if project_id and collection.singular.startswith("security_group"):
        world.default_group(project_id)


def _as_listed(body: Json) -> Json:
    """Return an object as a list shows it: there no rule says whose default group it is in."""
    rules = body.get("security_group_rules")
    if rules is None:
        return body
    untold = [{**rule, "belongs_to_default_sg": None} for rule in rules]
    return {**body, "security_group_rules": untold}


def _matching(
    collection: Collection,
    world: World,
    filters: dict[str, set[str]],
    actor: Actor,
    marker: str | None,
) -> Iterable[Json]:
    _refuse_unknown(collection, world, filters)
    for item in _candidates(collection, world, filters, marker):
        if _visible(item, actor):
            body = collection.shown(world, item, admin=actor.admin)
            # Values of one key are alternatives, different keys must all fit.
            if all(_fits(body.get(key), wanted) for key, wanted in filters.items()):
                yield body


def _candidates(
    collection: Collection, world: World, filters: dict[str, set[str]], marker: str | None
) -> Iterable[Stamped]:
    """Return what may match, by index where there is one, in the order of ids."""
    table = collection.table(world)
    if "id" in filters:
        ids: Iterable[str] = sorted(id_ for id_ in filters["id"] if id_ in table)
    elif "device_id" in filters and collection.singular == "port":
        devices = (world.ports_of(device_id) for device_id in filters["device_id"])
        ids = sorted(port.id for ports in devices for port in ports)
    elif "port_id" in filters and collection.singular == "floatingip":
        known = (world.floating_ip_of.get(port_id) for port_id in filters["port_id"])
        ids = sorted(id_ for id_ in known if id_ is not None)
    else:
        # From the marker on at once, else the time for all pages grows with the square of them.
        everything = table.sorted_ids()
        ids = everything[bisect_right(everything, marker) if marker else 0 :]
    return (table[id_] for id_ in ids if marker is None or id_ > marker)


def _refuse_unknown(collection: Collection, world: World, filters: dict[str, set[str]]) -> None:
    """Refuse what filter-validation does, `changed_since` among it."""
    sample = next(iter(collection.table(world)), None)
    if sample is None:
        return
    known = collection.shown(world, sample, admin=True).keys() - _UNFILTERABLE
    if collection.singular == "port":
        known |= {"fixed_ips"}
    unknown = sorted(filters.keys() - known)
    if unknown:
        raise _invalid(f"{unknown} is invalid attribute for filtering")


def _fits(value: Any, wanted: set[str]) -> bool:
    if isinstance(value, bool):
        return value in {truth(each) for each in wanted}
    if isinstance(value, list):
        return any(_in_list(value, each) for each in wanted)
    return ("" if value is None else str(value)) in wanted


def _in_list(values: list[Any], wanted: str) -> bool:
    """Match `security_groups=<id>`, or `fixed_ips=subnet_id=<id>`."""
    key, _, rest = wanted.partition("=")
    return any(
        value.get(key) == rest if isinstance(value, dict) else value == wanted for value in values
    )


def _visible(item: Stamped, actor: Actor) -> bool:
    if actor.admin or item.project_id == actor.project_id:
        return True
    # Agents belong to nobody, and are the administrators' alone.
    return isinstance(item, Network) and item.external


def _marker(collection: Collection, world: World, request: web.Request) -> str | None:
    marker = last(request, "marker")
    if marker is not None and marker not in collection.table(world):
        raise _not_found(collection, marker)
    return marker


def _get(collection: Collection, world: World, request: web.Request, actor: Actor) -> web.Response:
    """Show one object; what the caller may not see is 404."""
    id_ = request.match_info["id"]
    item = collection.table(world).get(id_)
    if item is None or not _visible(item, actor):
        raise _not_found(collection, id_)
    fields = [field for field in request.query.getall("fields", []) if field]
    body = collection.shown(world, item, admin=actor.admin)
    return answer({collection.singular: _only(body, fields)})


def _only(body: Json, fields: list[str]) -> Json:
    return {key: body[key] for key in body if key in fields} if fields else body


def _not_found(collection: Collection, id_: str) -> Refused:
    words = collection.singular.split("_")
    kind = "".join(word.capitalize() for word in words) + "NotFound"
    message = f"{' '.join(words).capitalize()} {id_} could not be found."
    return Refused(404, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


def _invalid(message: str) -> Refused:
    error = {"type": "HTTPBadRequest", "message": message, "detail": ""}
    return Refused(400, {"NeutronError": error})
