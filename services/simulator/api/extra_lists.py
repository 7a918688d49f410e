"""Ironic, Octavia, Manila and Swift, as far as listing and showing goes."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from aiohttp import web

from services.simulator.api.answer import Refused, fault, last, whole_number
from services.simulator.api.microversions import BAREMETAL, SHARES
from services.simulator.api.plain import Asked, Pages, Plain, Row
from services.simulator.notification import Actor
from services.simulator.operations import extras
from services.simulator.state import State

_CONTAINERS_AT_ONCE = 10_000


def _fault(status: int, message: str) -> Refused:
    return Refused(status, {"faultcode": "Client", "faultstring": message, "debuginfo": None})


def _wrapped(status: int, message: str) -> Refused:
    """Return a refusal as Ironic has it: a JSON text within JSON."""
    return Refused(status, {"error_message": orjson.dumps(_fault(status, message).body).decode()})


def _not_found(what: str) -> Callable[[str], Refused]:
    return lambda id_: _fault(404, f"{what} {id_} not found.")


def _rows(kind: str, *, shared: bool = False) -> Callable[[Asked], Sequence[Row]]:
    """Return the rows of a kind; `shared` ones belong to nobody."""

    def rows(asked: Asked) -> Sequence[Row]:
        return [
            Row(item.id, None if shared else item.project_id, dict(item.body))
            for item in asked.world.table(kind)
        ]

    return rows


def _members(asked: Asked) -> Sequence[Row]:
    """Return the members of one pool; their lists do not say which."""
    pool_id = asked.request.match_info["pool_id"]
    if pool_id not in asked.world.table(extras.POOL):
        # Said by whatever routes the path on, in another shape and under a wrong title.
        told = {"code": 404, "title": "Bad Request", "description": f"Pool {pool_id} not found."}
        raise Refused(404, told)
    return [
        Row(item.body["id"], item.project_id, _without_pool(item.body))
        for item in asked.world.table(extras.MEMBER)
        if item.body["pool_id"] == pool_id
    ]


def _without_pool(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "pool_id"}


def _balanced(kind: str, item: str, what: str) -> Plain:
    collection = f"{item[:-1]}ies" if item.endswith("y") else f"{item}s"
    return Plain(
        path=f"/load-balancer/v2/lbaas/{collection}",
        name=collection,
        item=item,
        rows=_rows(kind),
        pages=Pages.LINKS,
        own_only=True,
        filters={"loadbalancer_id": "loadbalancers/0/id", "project_id": "project_id"},
        bad_request=lambda message: _fault(400, message),
        forbidden=lambda rule: _fault(403, f"Policy does not allow {rule}."),
        not_found=_not_found(what),
    )


def _baremetal_ports(asked: Asked) -> Sequence[Row]:
    """Return the ports; who asks for those of a node that is gone is told of the node."""
    node = last(asked.request, "node_uuid")
    if node is not None and node not in asked.world.table(extras.NODE):
        raise _wrapped(404, f"Node {node} could not be found.")
    return _rows(extras.BAREMETAL_PORT, shared=True)(asked)


def _ironic(kind: str, path: str, what: str) -> Plain:
    return Plain(
        path=f"/baremetal/v1/{path}",
        detail="detail",
        name=path,
        item=None,
        rows=_rows(kind, shared=True) if kind == extras.NODE else _baremetal_ports,
        pages=Pages.NEXT,
        admin_rule="baremetal:node:list_all",
        filters={"node_uuid": "node_uuid", "instance_uuid": "instance_uuid"},
        microversions=BAREMETAL,
        bad_request=lambda message: _wrapped(400, message),
        forbidden=lambda rule: _wrapped(403, f"Access was denied to the following rule: {rule}"),
        not_found=lambda id_: _wrapped(404, f"{what} {id_} could not be found."),
    )


def list_containers(state: State, request: web.Request, actor: Actor) -> web.Response:
    """Answer GET of an account: a bare list, by name; other accounts are forbidden."""
    account = request.match_info["project_id"]
    if account != actor.project_id:
        message = "<html><h1>Forbidden</h1><p>Access was denied to this resource.</p></html>"
        return web.Response(text=message, status=403, content_type="text/html")
    limit = whole_number(last(request, "limit"), lambda text: _fault(412, text), "limit")
    marker = last(request, "marker") or ""
    found = sorted(
        (
            item.body
            for item in state.world.table(extras.CONTAINER)
            if item.project_id == account and item.body["name"] > marker
        ),
        key=lambda body: str(body["name"]),
    )
    page = found[: min(limit or _CONTAINERS_AT_ONCE, _CONTAINERS_AT_ONCE)]
    return web.Response(body=orjson.dumps(page), content_type="application/json")


COLLECTIONS = (
    _ironic(extras.NODE, "nodes", "Node"),
    _ironic(extras.BAREMETAL_PORT, "ports", "Port"),
    _balanced(extras.BALANCER, "loadbalancer", "Load Balancer"),
    _balanced(extras.LISTENER, "listener", "Listener"),
    _balanced(extras.POOL, "pool", "Pool"),
    _balanced(extras.MONITOR, "healthmonitor", "Health Monitor"),
    _balanced(extras.L7_POLICY, "l7policy", "L7 Policy"),
    Plain(
        path="/load-balancer/v2/lbaas/pools/{pool_id}/members",
        name="members",
        item="member",
        rows=_members,
        pages=Pages.LINKS,
        own_only=True,
        bad_request=lambda message: _fault(400, message),
        forbidden=lambda rule: _fault(403, f"Policy does not allow {rule}."),
        not_found=_not_found("Member"),
    ),
    Plain(
        path="/share/v2/shares",
        detail="detail",
        name="shares",
        item="share",
        rows=_rows(extras.SHARE),
        pages=Pages.OFFSET,
        all_projects="all_tenants",
        microversions=SHARES,
        bad_request=lambda message: _fault(400, message),
        forbidden=lambda rule: _fault(403, f"Policy does not allow {rule}."),
        not_found=lambda _: fault("itemNotFound", 404, "The resource could not be found."),
    ),
)
