"""What goes with what is told by the objects themselves."""

import pytest

from shared.links import described
from shared.owners import is_owned, kinds_above, kinds_below, owners_of, ownerships
from shared.resource import Kind, ResourceRef


@pytest.mark.parametrize(
    ("kind", "item", "owners"),
    [
        ("port", {"device_id": "s", "device_owner": "compute:nova"}, set()),
        ("port", {"device_id": "r", "device_owner": "network:router_gateway"}, {("router", "r")}),
        ("port", {"network_id": "n", "device_owner": "network:dhcp"}, {("network", "n")}),
        ("subnet", {"network_id": "n", "subnetpool_id": "p"}, {("network", "n")}),
        ("security_group_rule", {"security_group_id": "g", "remote_group_id": "h"},
         {("security_group", "g")}),
        ("floating_ip", {"port_id": "p", "router_id": "r"}, set()),
        ("listener", {"loadbalancers": [{"id": "b"}], "default_pool_id": "p"},
         {("load_balancer", "b")}),
        ("user_made", {"network_id": "n"}, set()),
    ],
)  # fmt: skip
def test_an_object_names_its_owners(
    kind: str, item: dict[str, object], owners: set[tuple[str, str]]
) -> None:
    found = owners_of(ResourceRef("prod", kind, "x"), item)
    assert found == {ResourceRef("prod", *owner) for owner in owners}


def test_owners_of_owners_are_above_and_all_of_theirs_below() -> None:
    assert kinds_above(Kind.MEMBER) == {"pool", "load_balancer"}
    assert kinds_below(Kind.LOAD_BALANCER) == {
        "listener",
        "pool",
        "member",
        "health_monitor",
        "l7_policy",
    }
    assert kinds_below(Kind.SERVER) == frozenset()
    assert is_owned(Kind.SUBNET)
    assert not is_owned(Kind.NETWORK)


def test_every_ownership_is_a_link() -> None:
    links = {(kind, name, to) for kind, name, kinds in described() for to in kinds}
    assert links.issuperset(ownerships())
