"""Octavia: load balancers and everything below them.

Events tell of load balancers alone; what else changes is found by full passes. A repeated filter is
a bad query to Octavia, so that each value is asked for alone.
"""

from typing import Any
from urllib.parse import quote

from services.refresher.resources.model import Address, Below, Life, Object, Resource, text_of
from shared.openstack.paging import Params
from shared.resource import Kind

_PAGE: Params = (("limit", "1000"),)
_BY_BALANCER = "loadbalancer_id"


def balanced_life(item: Object) -> Life:
    """Read the status: deleted ones linger, shown as such."""
    return Life.GONE if item.get("provisioning_status") == "DELETED" else Life.LIVING


def is_pending(item: Object) -> bool:
    """Whether Octavia is at work on it; it tells the beginning and not always the end."""
    return (text_of(item, "provisioning_status") or "").startswith("PENDING_")


def with_balancer(item: Object) -> Object:
    """Put the id of the load balancer where the filter by it looks, beside the list of one."""
    balancers = item.get("loadbalancers")
    if not isinstance(balancers, list) or not balancers or not isinstance(balancers[0], dict):
        return item
    return {**item, _BY_BALANCER: balancers[0].get("id")}


def member_id(item: Object) -> str | None:
    """Return `<pool id>/<member id>`: a member can only be read through its pool."""
    pool, id_ = text_of(item, "pool_id"), text_of(item, "id")
    return f"{pool}/{id_}" if pool and id_ else None


def _resource(kind: Kind, item_key: str, **different: Any) -> Resource:
    collection = f"{item_key[:-1]}ies" if item_key.endswith("y") else f"{item_key}s"
    fields: dict[str, Any] = {
        "kind": kind,
        "service_type": "load-balancer",
        "path": f"lbaas/{collection}",
        "collection": collection,
        "item_path": f"lbaas/{collection}",
        "item_key": item_key,
        "list_params": _PAGE,
        "list_all_from": 20,
        "repeats": False,
        "status": lambda item: text_of(item, "provisioning_status"),
        "life": balanced_life,
        "settling": is_pending,
    }
    return Resource(**fields | different)


POOL = _resource(Kind.POOL, "pool", filters=frozenset({_BY_BALANCER}), shape=with_balancer)
RESOURCES = (
    _resource(Kind.LOAD_BALANCER, "loadbalancer"),
    _resource(Kind.LISTENER, "listener", filters=frozenset({_BY_BALANCER}), shape=with_balancer),
    POOL,
    _resource(
        Kind.MEMBER,
        "member",
        item_path=None,
        filters=frozenset({"pool_id", _BY_BALANCER}),
        list_all_from=None,
        below=Below(
            parent=POOL,
            field="pool_id",
            address=lambda pool: Address(f"lbaas/pools/{quote(str(pool['id']), safe='')}/members"),
            through=frozenset({_BY_BALANCER}),
        ),
        id_of=member_id,
    ),
    _resource(Kind.HEALTH_MONITOR, "healthmonitor"),
    _resource(Kind.L7_POLICY, "l7policy"),
)
