"""Whose an object is by an event's own words."""

from typing import Any

import pytest

from services.refresher.other_projects import project_told
from shared.event import Flavour
from shared.resource import ResourceRef
from tests.support.events import event
from tests.support.refresh import target

VOLUME = ResourceRef("prod", "volume", "v")


def told(**different: Any) -> str | None:
    fields = {"type": "volume.update.end", "subjects": (VOLUME,), "payload": {"tenant_id": "p2"}}
    return project_told(target("volume", "v"), event(**fields | different))


def test_a_payload_names_the_project_of_its_subject() -> None:
    assert told() == "p2"
    assert told(payload={"project_id": "p3", "tenant_id": ""}) == "p3"


def test_a_versioned_payload_does_so_too() -> None:
    wrapped = {"nova_object.name": "InstanceActionPayload", "nova_object.data": {"tenant_id": "p2"}}
    assert told(flavour=Flavour.VERSIONED, payload=wrapped) == "p2"


@pytest.mark.parametrize(
    "different",
    [
        {"flavour": Flavour.TRAITS},
        {"flavour": Flavour.CADF},
        {"payload": {}},
        {"payload": {"tenant_id": 7}},
        {"payload": ["tenant_id"]},
        {"subjects": (VOLUME, ResourceRef("prod", "volume", "w"))},
        {"subjects": (ResourceRef("prod", "server", "v"),)},
    ],
)
def test_nothing_else_says_whose_an_object_is(different: dict[str, Any]) -> None:
    assert told(**different) is None
