"""`osevents publish` as it is called, as far as no broker is needed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Outcome, call

TYPE = "compute.instance.create.end"


def lines(outcome: Outcome) -> list[dict[str, Any]]:
    return [row["body"] for row in outcome.rows]


def test_a_type_with_fields_becomes_a_notification_of_its_service() -> None:
    outcome = call(
        "publish", TYPE, "--to", "stdout", "--field", "id=s-{n}", "--field", "name=vm",
        "--field", "project=p", "--payload", '{"memory_mb": 512}', "--count", "2",
    )  # fmt: skip

    one, two = outcome.rows
    assert (one["exchange"], one["routing_key"]) == ("nova", "notifications.info")
    assert one["body"]["payload"] == {
        "instance_id": "s-1", "display_name": "vm", "tenant_id": "p", "memory_mb": 512,
    }  # fmt: skip
    assert one["body"]["_context_osevents_synthetic"] is True
    assert two["body"]["payload"]["instance_id"] == "s-2"


def test_the_versioned_form_goes_to_the_topic_of_versioned_ones() -> None:
    (row,) = call("publish", "instance.create.end", "--to", "stdout", "--flavour", "versioned").rows

    assert row["routing_key"] == "versioned_notifications.info"
    assert row["body"]["payload"]["nova_object.namespace"] == "nova"


def test_a_type_that_nobody_names_is_sent_with_a_doubt() -> None:
    outcome = call("publish", "port.updat.end", "--to", "stdout")

    assert outcome.code == 0
    assert outcome.err == (
        "osevents: no catalogue entry names 'port.updat.end', so what it tells is"
        " guessed; did you mean port.update.end?\n"
    )


def test_a_failure_is_sent_at_level_error() -> None:
    (row,) = call("publish", "compute.instance.create.error", "--to", "stdout").rows

    assert row["routing_key"] == "notifications.error"


def test_what_is_printed_can_be_explained_and_published_again(tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    first = call("publish", "--scenario", "build-without-end", "--speed", "1e6", "--to", "stdout")
    recording.write_text(first.out)

    explained = call("explain", "--format", "json", str(recording)).rows
    again = call("publish", "--recording", str(recording), "--to", "stdout")

    assert all(row["event"]["synthetic"] for row in explained)
    assert [body["event_type"] for body in lines(again)] == [
        body["event_type"] for body in lines(first)
    ]
    assert not {body["message_id"] for body in lines(again)} & {
        body["message_id"] for body in lines(first)
    }


def test_the_scenarios_can_be_listed_for_programs() -> None:
    rows = call("publish", "--list-scenarios", "--format", "json").rows

    assert {"scenario", "about"} == set(rows[0])
    assert "boot-storm" in [row["scenario"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give one of TYPE, --recording FILE and --scenario NAME"),
        ((TYPE, "--scenario", "boot-storm"), "give one of TYPE"),
        ((TYPE, "--field", "id"), "write NAME=VALUE"),
        ((TYPE, "--field", "colour=red"), "has no field 'colour'; it has id, name"),
        (("keypair.create.end", "--field", "id=k"), "'k' is not written as user_id/key_name"),
        ((TYPE, "--payload", "{"), "--payload is not JSON"),
        ((TYPE, "--payload", "[]"), "--payload is a JSON list, not an object"),
        ((TYPE, "--ramp", "10s"), "give --rate, too"),
        (("--scenario", "nonsense"), "no scenario is called so"),
    ],
)
def test_a_wrong_call_says_how_to_mend_it_and_ends_with_2(
    arguments: tuple[str, ...], says: str
) -> None:
    outcome = call("publish", *arguments, "--to", "stdout")

    assert (outcome.code, outcome.out) == (2, "")
    assert says in outcome.err
    assert outcome.err.count("\n") == 1


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")

    outcome = call("publish", "--recording", str(empty), "--to", "stdout")

    assert outcome.code == 2
    assert "holds no notification" in outcome.err


def test_events_of_panko_are_not_for_openstacks_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "osevents.yaml"
    config.write_text("clouds: [{name: prod, amqp: {transports: ['rabbit://u:p@127.0.0.1/']}}]\n")
    panko = {
        "event_type": TYPE,
        "message_id": "1",
        "generated": "2026-01-01T00:00:00",
        "traits": [],
    }
    recording = tmp_path / "panko.jsonl"
    recording.write_text(json.dumps(panko))
    monkeypatch.delenv("OSEVENTS_CLOUDS", raising=False)

    outcome = call(
        "publish", "--recording", str(recording), "--to", "openstack", "--config", str(config)
    )

    assert outcome.code == 2
    assert "use --to bus" in outcome.err


def test_the_bus_has_to_be_configured() -> None:
    outcome = call("publish", TYPE)

    assert outcome.code == 2
    assert "bus.url" in outcome.err
