"""How objects of each service are understood, on objects as those services give them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.refresher.resources import ALL
from services.refresher.resources.port import Life
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


def test_every_kind_of_the_model_can_be_read() -> None:
    assert set(ALL) == set(Kind)


def test_hidden_images_are_part_of_a_full_pass() -> None:
    assert ALL["image"].full_lists == ((), (("os_hidden", "true"),))
