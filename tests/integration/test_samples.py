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
    "glance/unversioned/image.upload__modern-2.json": "at ERROR the payload is a text",
    "keystone/cadf/identity.role_assignment.created__doc.json": "has no id, only its ends",
    "keystone/cadf/identity.role_assignment.created__modern.json": "likewise",
    "keystone/cadf/identity.role_assignment.deleted__modern.json": "likewise",
    "nova/unversioned/HostAPI.set_enabled.end__legacy.json": "names the host, not its service",
    "nova/unversioned/compute.metrics.update__metrics-update.json": "of a host",
    "nova/unversioned/compute.metrics.update__metrics-update__2.json": "of a host",
    "nova/versioned/metrics.update.json": "of a host",
    "nova/versioned/compute.exception.json": "of a host",
    "nova/versioned/libvirt.connect.error.json": "of a host",
    "nova/unversioned/network.floating_ip.allocate.json": "nova-network tells the address only",
    "nova/unversioned/network.floating_ip.associate.json": "likewise",
    "nova/unversioned/network.floating_ip.deallocate.json": "likewise",
    "nova/unversioned/network.floating_ip.disassociate.json": "likewise",
    "nova/versioned/service.update__watcher-scenario3_service-update-disabled.json": "1.0: no uuid",
    "nova/versioned/service.update__watcher-scenario3_service-update-enabled.json": "1.0: no uuid",
    "masakari/versioned/segment.create.error.json": "was never created",
    "watcher/versioned/infra-optim.exception.json": "of a process",
}
"""File -> why it names no object. The starts of creates, where there is none yet, are not here."""
OTHER_IDS = {
    "aggregate": "the API knows an aggregate by its number, not by its uuid",
    "cluster": "its id is that of the target; in Magnum's documentation resource_info is another's",
}
"""Kind -> why its id stands elsewhere than all others'."""
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
    unborn = event.type.endswith("create.start")

    assert bool(event.subjects) == (file["file"] not in WITHOUT_SUBJECT) or unborn
    assert all(subject.kind for subject in event.subjects)


def ids_by_convention(file: dict[str, Any]) -> set[str]:
    """Return the ids that stand where OpenStack's conventions put them, found without catalogue."""
    payload = json.loads((SAMPLES / file["file"]).read_text())["payload"]
    if not isinstance(payload, dict):
        return set()
    data = next((value for key, value in payload.items() if key.endswith("_object.data")), payload)
    words = file["event_type"].split(".")
    prefixed = words[0] in PREFIXES and len(words) > 1
    thing = words[1] if prefixed else words[0]
    one, many = data.get(thing), data.get(f"{thing}s")
    found = [data.get(f"{thing}_id"), data.get("resource_info")]
    found += [data.get("uuid")] if file["flavour"] == "versioned" else []
    found += [one.get("id")] if isinstance(one, dict) else []
    found += [item.get("id") for item in many or () if isinstance(item, dict)]
    return {str(id_) for id_ in found if id_}


PREFIXES = {
    "compute", "identity", "octavia", "dns", "orchestration", "magnum", "sahara", "trove",
    "baremetal",
}  # fmt: skip
"""The first words that name a service and no thing."""


@named(NOTIFICATIONS)
def test_the_subject_is_what_the_payload_names_by_convention(file: dict[str, Any]) -> None:
    entry = builtin().lookup(file["event_type"])
    subjects = {subject.id for subject in event_of(file).subjects}

    assert ids_by_convention(file) <= subjects or entry.kind in OTHER_IDS


def test_convention_finds_the_ids_of_most_samples() -> None:
    assert sum(bool(ids_by_convention(file)) for file in NOTIFICATIONS) > len(NOTIFICATIONS) * 2 / 3


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
