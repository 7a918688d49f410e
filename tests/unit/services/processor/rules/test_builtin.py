"""The rule files that come with osevents, against notifications as OpenStack sends them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.recordings import read_recording
from services.processor.actions.kinds import known_kinds
from services.processor.rules.index import RuleSet
from services.processor.rules.load import builtin_names, load_rules, read_sources
from services.processor.rules.looking import Candidate, Guard, Role, look
from services.processor.rules.verdicts import Outcome, Verdict
from shared.catalogue.load import builtin
from shared.errors import UnreadableNotification
from shared.event import Event
from tests.support.events import NOON

SAMPLES = Path(__file__).parents[6] / "shared" / "samples"

MANAGEIQ = {
    "compute.instance.delete.end": "vm_destroy",
    "compute.instance.pause.end": "vm_pause",
    "compute.instance.power_off.end": "vm_poweroff",
    "compute.instance.power_on.end": "vm_start",
    "compute.instance.reboot.end": "vm_reboot_guest",
    "compute.instance.reset.end": "vm_reset",
    "compute.instance.resume.end": "vm_resume",
    "compute.instance.unpause.end": "vm_resume",
    "compute.instance.shutdown.end": "vm_shutdown_guest",
    "compute.instance.snapshot.start": "vm_snapshot",
    "compute.instance.snapshot.end": "vm_snapshot_complete",
    "compute.instance.suspend": "vm_suspend",
}
"""ManageIQ's twelve mappings."""


@pytest.fixture(scope="module")
def shipped() -> RuleSet:
    return load_rules(read_sources([f"builtin:{name}" for name in builtin_names()]), known_kinds())


def notification(event_type: str, payload: Any, publisher: str = "compute.host1") -> Event:
    """Return the event of a notification; Nova's versioned ones are told by their payload."""
    body = {
        "message_id": "1",
        "publisher_id": publisher,
        "event_type": event_type,
        "priority": "INFO",
        "timestamp": "2026-11-23 12:00:00.000000",
        "payload": payload,
    }
    return events(json.dumps(body).encode())[0]


def events(recording: bytes) -> list[Event]:
    return [
        normalise(read, cloud="prod", received_at=NOON, catalogue=builtin())
        for read in read_recording(recording)
        if not isinstance(read, UnreadableNotification)
    ]


def triggered(rules: RuleSet, item: Event) -> set[str]:
    return {
        said.rule.name
        for said in look(rules, Guard(), item)
        if isinstance(said, Candidate) and said.role is Role.TRIGGER
    }


@pytest.mark.parametrize(("event_type", "policy"), MANAGEIQ.items())
def test_manageiqs_policy_events_are_told_in_both_formats(
    shipped: RuleSet, event_type: str, policy: str
) -> None:
    legacy = notification(event_type, {"instance_id": "a", "display_name": "vm"})
    payload = {
        "nova_object.namespace": "nova",
        "nova_object.name": "InstanceActionPayload",
        "nova_object.data": {"uuid": "a", "display_name": "vm"},
    }
    versioned_type = legacy.canonical.removeprefix("compute.")
    versioned = notification(versioned_type, payload, "nova-compute:host1")

    for item in (legacy, versioned):
        found = {name for name in triggered(shipped, item) if name.startswith("manageiq.")}
        assert found == {f"manageiq.{policy}"}, item.type


@pytest.mark.parametrize(
    ("rule", "event_type", "payload"),
    [
        ("quota-changed", "quota.update.end", {"quota": {"network": 5, "tenant_id": "p"}}),
        (
            "host-down-masakari",
            "notification.create.end",
            {
                "masakari_object.namespace": "masakari",
                "masakari_object.name": "NotificationApiPayload",
                "masakari_object.data": {"notification_uuid": "n", "type": "COMPUTE_HOST"},
            },
        ),
    ],
)
def test_day_one_rules_find_what_no_sample_shows(
    shipped: RuleSet, rule: str, event_type: str, payload: object
) -> None:
    publisher = "masakari-api:a" if "masakari" in rule else "network.ctl1"
    assert rule in triggered(shipped, notification(event_type, payload, publisher))


def test_a_host_that_comes_back_is_not_down(shipped: RuleSet) -> None:
    def update(**data: object) -> Event:
        payload = {
            "nova_object.namespace": "nova",
            "nova_object.name": "ServiceStatusPayload",
            "nova_object.data": {"host": "h1", "binary": "nova-compute", **data},
        }
        return notification("service.update", payload, "nova-compute:h1")

    assert triggered(shipped, update(forced_down=True)) == {"host-down"}
    assert triggered(shipped, update(forced_down=False)) == set()
    assert triggered(shipped, update(forced_down=True, binary="nova-scheduler")) == set()


def samples() -> Iterator[tuple[Path, Event]]:
    if not SAMPLES.is_dir():
        pytest.skip("there is no collection of real notifications beside this checkout")
    for path in sorted(SAMPLES.rglob("*.json")):
        for item in events(path.read_bytes()):
            yield path, item


def test_real_notifications_trigger_the_rules_that_are_meant_for_them(shipped: RuleSet) -> None:
    found: dict[str, set[str]] = {}
    for _, item in samples():
        for name in triggered(shipped, item):
            found.setdefault(name, set()).add(item.canonical)

    without_sample = {"manageiq.vm_reset", "host-down-masakari", "quota-changed"}
    assert set(shipped.by_name) - set(found) == without_sample
    assert found["failed-logins"] == {"identity.authenticate"}
    assert found["live-migration-done"] == {"compute.instance.live_migration.post.dest.end"}
    assert "compute.instance.create.error" in found["instance-in-error"]


def test_no_condition_errs_on_a_real_notification(shipped: RuleSet) -> None:
    for path, item in samples():
        for said in look(shipped, Guard(), item):
            assert not isinstance(said, Verdict) or said.outcome is not Outcome.ERROR, (path, said)
