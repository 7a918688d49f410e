"""Every notification of the sample corpus is understood (../shared/samples, beside the repository).

The corpus holds documentation samples, captures of real services and shapes from their source.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from services.catcher.decoding.normalise import normalise
from shared.catalogue.load import builtin
from shared.catalogue.targets import deletions, targets
from shared.codec import SINGLE, decode, encode
from shared.event import Event, Phase

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
INDEX = SAMPLES / "index.json"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILES: list[dict[str, Any]] = json.loads(INDEX.read_text())["files"] if INDEX.exists() else []
NOTIFICATIONS = [file for file in FILES if file["flavour"] != "panko-rest"]
PANKO = [file for file in FILES if file["flavour"] == "panko-rest"]

pytestmark = pytest.mark.skipif(not FILES, reason=f"the sample corpus {SAMPLES} is not here")

WITHOUT_SUBJECT = {
    "image.upload": "at ERROR the payload is a text",
    "identity.role_assignment.created": "an assignment has no id, only its ends",
    "identity.role_assignment.deleted": "likewise",
    "HostAPI.set_enabled.end": "names the host, not the id of the service on it",
    "compute.metrics.update": "of a host",
    "metrics.update": "of a host",
    "compute.exception": "of a host",
    "libvirt.connect.error": "of a host",
    "infra-optim.exception": "of a process",
    "network.floating_ip.allocate": "nova-network tells the address only",
    "network.floating_ip.deallocate": "likewise",
    "network.floating_ip.associate": "likewise",
    "network.floating_ip.disassociate": "likewise",
    "segment.create.error": "was never created",
}
WITHOUT_SUBJECT_FILES = {
    "nova/versioned/service.update__watcher-scenario3_service-update-disabled.json": "1.0: no uuid",
    "nova/versioned/service.update__watcher-scenario3_service-update-enabled.json": "1.0: no uuid",
}
UNNAMED_IN_TRAITS = {
    f"tag.{verb}.end": "the traits do not even tell the kind of what is tagged"
    for verb in ("create", "update", "delete", "delete_all")
}
PROJECT_KEYS = ("project_id", "tenant_id", "owner", "_context_project_id", "_context_tenant_id")


def event_of(file: dict[str, Any]) -> Event:
    content = json.loads((SAMPLES / file["file"]).read_text())
    if file["flavour"] == "panko-rest":
        opened = from_panko(content)
    else:
        opened = open_envelope(json.dumps(content).encode())
    return normalise(opened, cloud="prod", received_at=NOW, catalogue=builtin())


def wanted_by(event: Event) -> set[tuple[str, str, str]]:
    return {(target.kind, target.by, target.key) for target in targets(event, builtin())}


def named(files: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=[file["file"] for file in files])


@named(NOTIFICATIONS)
def test_the_type_is_known_and_survives_the_bus(file: dict[str, Any]) -> None:
    event = event_of(file)

    assert event.known
    assert event.type == file["event_type"]
    assert event.service != "unknown"
    assert decode(encode(event), SINGLE) == (event,)


@named(NOTIFICATIONS)
def test_the_subject_is_found(file: dict[str, Any]) -> None:
    event = event_of(file)
    excused = event.type in WITHOUT_SUBJECT or file["file"] in WITHOUT_SUBJECT_FILES
    unborn = event.type.endswith("create.start")

    assert event.subjects or excused or unborn


@named(NOTIFICATIONS)
def test_the_project_is_found_where_there_is_one(file: dict[str, Any]) -> None:
    content = json.loads((SAMPLES / file["file"]).read_text())
    payload = content["payload"] if isinstance(content["payload"], dict) else {}
    data = next((value for key, value in payload.items() if key.endswith("_object.data")), payload)
    holders = [content, data, data.get("initiator"), data.get("request_spec")]
    told = [
        holder.get(key) for holder in holders if isinstance(holder, dict) for key in PROJECT_KEYS
    ]

    assert event_of(file).project or not any(told)


@named(NOTIFICATIONS)
def test_an_event_that_changes_something_has_a_consequence(file: dict[str, Any]) -> None:
    event = event_of(file)
    changing = event.action != "none" and event.phase in (Phase.END, Phase.ERROR)

    assert not changing or targets(event, builtin()) or deletions(event, builtin())


@named(PANKO)
def test_panko_tells_the_same_as_the_notification_behind_it(file: dict[str, Any]) -> None:
    source = next((item for item in NOTIFICATIONS if item["file"] == file["source"]), None)
    assert source is not None
    behind, event = event_of(source), event_of(file)
    wanted, wanted_behind = wanted_by(event), wanted_by(behind)

    assert (event.type, event.service, event.action) == (
        behind.type,
        behind.service,
        behind.action,
    )
    assert event.known
    if file["has_resource_id"]:
        assert event.subjects == behind.subjects
        assert wanted <= wanted_behind
    if wanted_behind and event.type not in UNNAMED_IN_TRAITS:
        assert wanted or deletions(event, builtin())


@pytest.mark.parametrize("name", ["rabbit_messagingv2", "rabbit_messaging_v1", "kafka"])
def test_every_wrapping_is_opened(name: str) -> None:
    opened = open_envelope((SAMPLES / "envelopes" / f"{name}.json").read_bytes())

    assert opened.event_type == "compute.instance.create.end"
    assert opened.context["request_id"].startswith("req-")


@pytest.mark.parametrize("name", ["notifier_event_sample", "notifier_event_sample_envelope"])
def test_what_ceilometer_publishes_is_unpacked(name: str) -> None:
    opened = open_envelope((SAMPLES / "ceilometer_publisher" / f"{name}.json").read_bytes())

    carried = unpack(opened)

    assert len(carried) > 1
    assert all(item.event_type != "event" for item in carried)


def test_a_whole_answer_of_pankos_api_is_read() -> None:
    items = json.loads((SAMPLES / "panko" / "_list_response.json").read_text())

    assert len({from_panko(item).message_id for item in items}) == len(items)
