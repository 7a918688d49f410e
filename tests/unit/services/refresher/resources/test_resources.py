"""How objects of each service are understood, on objects as those services give them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.refresher.resources import ALL
from services.refresher.resources.model import Life
from shared.resource import Kind

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "item", "summary"),
    [
        (
            "server",
            {"id": "s", "name": "web", "tenant_id": "p", "status": "ACTIVE"},
            ("web", "p", "ACTIVE", None),
        ),
        (
            "port",
            {"id": "s", "name": "", "project_id": "", "status": "DOWN", "revision_number": 4},
            (None, None, "DOWN", 4),
        ),
        (
            "subnet",
            {"id": "s", "name": "lan", "project_id": "p", "revision_number": 0},
            ("lan", "p", None, 0),
        ),
        (
            "volume",
            {"id": "s", "name": "v", "os-vol-tenant-attr:tenant_id": "p", "status": "in-use"},
            ("v", "p", "in-use", None),
        ),
        (
            "image",
            {"id": "s", "name": "i", "owner": "p", "status": "active"},
            ("i", "p", "active", None),
        ),
        ("project", {"id": "s", "name": "n", "enabled": False}, ("n", None, "disabled", None)),
        ("project", {"id": "s", "name": 7}, (None, None, None, None)),
    ],
)
def test_name_project_status_and_revision_are_found(
    kind: str, item: dict[str, Any], summary: tuple[Any, ...]
) -> None:
    snapshot = ALL[kind].snapshot("prod", item, observed_at=NOW)
    assert (snapshot.name, snapshot.project, snapshot.status, snapshot.revision) == summary
    assert snapshot.ref.id == "s"
    assert snapshot.object is item


@pytest.mark.parametrize(
    ("kind", "status", "life"),
    [
        ("server", "ACTIVE", Life.LIVING),
        ("server", "SOFT_DELETED", Life.LIVING),
        ("server", "DELETED", Life.GONE),
        ("server", "UNKNOWN", Life.UNSURE),
        ("image", "queued", Life.LIVING),
        ("image", "deleted", Life.GONE),
        ("image", "pending_delete", Life.GONE),
        ("volume", "deleting", Life.LIVING),
    ],
)
def test_the_status_tells_what_still_exists(kind: str, status: str, life: Life) -> None:
    assert ALL[kind].life({"id": "s", "status": status}) is life


@pytest.mark.parametrize(
    ("kind", "item", "known_as"),
    [
        ("keypair", {"keypair": {"name": "k"}, "user_id": "u"}, ("u/k", "k", None)),
        ("keypair", {"name": "k", "user_id": "u", "id": 7, "deleted": False}, ("u/k", "k", None)),
        ("aggregate", {"id": 3, "name": "rack"}, ("3", "rack", None)),
        (
            "availability_zone",
            {"zoneName": "nova", "zoneState": {"available": False}, "hosts": None},
            ("nova", "nova", "unavailable"),
        ),
        (
            "hypervisor",
            {"id": "h", "hypervisor_hostname": "c1", "state": "up", "status": "disabled"},
            ("h", "c1", "up"),
        ),
        ("network_agent", {"id": "a", "binary": "ovs", "alive": False}, ("a", "ovs", "down")),
        ("stack_resource", {"stack_id": "s", "resource_name": "r"}, ("s/r", "r", None)),
        (
            "stack",
            {"id": "s", "stack_name": "web", "stack_status": "CREATE_COMPLETE"},
            ("s", "web", "CREATE_COMPLETE"),
        ),
        ("node", {"uuid": "n", "name": "m", "provision_state": "active"}, ("n", "m", "active")),
        (
            "member",
            {"id": "m", "pool_id": "p", "provisioning_status": "ACTIVE"},
            ("p/m", None, "ACTIVE"),
        ),
        ("container", {"name": "c", "project_id": "p"}, ("p/c", "c", None)),
    ],
)
def test_what_has_no_plain_id_name_or_status_is_known_by_others(
    kind: str, item: dict[str, Any], known_as: tuple[str, str | None, str | None]
) -> None:
    resource = ALL[kind]
    snapshot = resource.snapshot("prod", resource.shape(item), observed_at=NOW)
    assert (snapshot.ref.id, snapshot.name, snapshot.status) == known_as


def test_single_key_pairs_and_stacks_look_like_listed_ones() -> None:
    keypair = ALL["keypair"].shape
    listed = {"keypair": {"name": "k", "type": "ssh", "fingerprint": "f"}, "user_id": "u"}
    single = {"name": "k", "type": "ssh", "fingerprint": "f", "user_id": "u", "id": 7}
    assert keypair(listed) == keypair(single)
    stack = ALL["stack"].shape
    link = {"links": [{"rel": "self", "href": "http://h/v1/project-1/stacks/web/s"}]}
    assert stack({"id": "s", **link}) == stack({"id": "s", "outputs": [], **link})
    assert stack({"id": "s", **link})["project"] == "project-1"


def test_every_kind_of_the_model_can_be_read() -> None:
    assert set(ALL) == set(Kind)


def test_hidden_images_are_part_of_a_full_pass() -> None:
    assert ALL["image"].full_lists == ((), (("os_hidden", "true"),))


def test_a_security_group_looks_the_same_listed_and_read_by_id() -> None:
    rule = {"id": "r", "direction": "ingress"}
    listed = {"id": "g", "security_group_rules": [{**rule, "belongs_to_default_sg": None}]}
    single = {"id": "g", "security_group_rules": [{**rule, "belongs_to_default_sg": False}]}

    shape = ALL["security_group"].shape

    assert shape(listed) == shape(single) == {"id": "g", "security_group_rules": [rule]}
    assert shape({"id": "g"}) == {"id": "g"}


def test_an_updated_subnet_pool_looks_like_a_read_one() -> None:
    told = {"id": "s", "min_prefixlen": 8, "max_prefixlen": 32, "default_prefixlen": "24"}

    assert ALL["subnet_pool"].shape(told) == {
        "id": "s",
        "min_prefixlen": "8",
        "max_prefixlen": "32",
        "default_prefixlen": "24",
    }


@pytest.mark.parametrize(("external", "kept"), [(False, {}), (True, {"is_default": False})])
def test_only_external_networks_are_default_ones_or_not(
    external: bool,  # noqa: FBT001 -- a parameter of the test
    kept: dict[str, Any],
) -> None:
    network = {"id": "n", "router:external": external}

    assert ALL["network"].shape({**network, "is_default": False}) == {**network, **kept}
