"""What objects name, on objects as their services give them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.links import Link, described, links_of
from shared.resource import Kind


@pytest.mark.parametrize(
    ("kind", "item", "links"),
    [
        (
            "server",
            {
                "image": {"id": "i"},
                "flavor": {"original_name": "m1.tiny"},
                "user_id": "u",
                "key_name": "laptop",
                "OS-EXT-SRV-ATTR:hypervisor_hostname": "c1.example.org",
                "OS-EXT-AZ:availability_zone": "nova",
                "os-extended-volumes:volumes_attached": [{"id": "v"}],
            },
            {
                ("image", "image", "id", "i"),
                ("flavor", "flavor", "name", "m1.tiny"),
                ("keypair", "keypair", "id", "u/laptop"),
                ("user", "user", "id", "u"),
                ("hypervisor", "hypervisor", "name", "c1.example.org"),
                ("availability_zone", "availability_zone", "id", "nova"),
                ("volume", "volume", "id", "v"),
            },
        ),
        ("server", {"image": "", "flavor": {"id": "1"}}, {("flavor", "flavor", "id", "1")}),
        (
            "port",
            {
                "network_id": "n",
                "fixed_ips": [{"subnet_id": "a"}, {"subnet_id": "b"}],
                "security_groups": ["g"],
                "device_id": "r",
                "device_owner": "network:router_gateway",
            },
            {
                ("network", "network", "id", "n"),
                ("subnet", "subnet", "id", "a"),
                ("subnet", "subnet", "id", "b"),
                ("security_group", "security_group", "id", "g"),
                ("device", "router", "id", "r"),
            },
        ),
        ("port", {"device_id": "dhcp-1", "device_owner": "network:dhcp"}, set()),
        (
            "floating_ip",
            {
                "port_id": "p",
                "router_id": "r",
                "floating_network_id": "n",
                "port_details": {"device_id": "s", "device_owner": "compute:az1"},
            },
            {
                ("port", "port", "id", "p"),
                ("router", "router", "id", "r"),
                ("network", "network", "id", "n"),
                ("server", "server", "id", "s"),
            },
        ),
        (
            "project",
            {"domain_id": "default", "parent_id": "default"},
            {("domain", "domain", "id", "default"), ("parent", "domain", "id", "default")},
        ),
        (
            "project",
            {"domain_id": "default", "parent_id": "p"},
            {("domain", "domain", "id", "default"), ("parent", "project", "id", "p")},
        ),
        (
            "trunk",
            {"port_id": "p", "sub_ports": [{"port_id": "q"}]},
            {("parent", "port", "id", "p"), ("sub_port", "port", "id", "q")},
        ),
        ("something_else", {"network_id": "n"}, set()),
    ],
)
def test_links_are_found(kind: str, item: dict[str, Any], links: set[tuple[str, ...]]) -> None:
    assert links_of(kind, item) == {Link(*link) for link in links}  # type: ignore[arg-type]


FIELDS = st.sampled_from(
    ["id", "image", "flavor", "fixed_ips", "port_id", "device_id", "device_owner", "members"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(list(Kind)), st.dictionaries(FIELDS, JSON, max_size=6))
def test_whatever_an_object_holds_reading_its_links_never_raises(
    kind: Kind, item: dict[str, Any]
) -> None:
    assert all(link.key for link in links_of(kind, item))


def test_every_link_leads_to_a_kind_of_the_model() -> None:
    # What shares are plugged into is not in the inventory.
    assert {kind for _, _, kinds in described() for kind in kinds} <= {*Kind, "share_network"}
