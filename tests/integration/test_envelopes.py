"""Every notification that we have, ours and the samples, through every envelope: the same event."""

import bz2
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.notification import Notification
from services.catcher.decoding.recordings import read_recording
from shared.catalogue.load import builtin
from shared.errors import UnreadableNotification
from shared.event import Event
from tests.support import notifications as ours

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
OURS = {
    "legacy": ours.legacy_nova("compute.instance.create.end"),
    "versioned": ours.versioned_nova("instance.create.end"),
    "a whole object": ours.neutron("port.update.end", {"port": ours.port()}),
    "several objects": ours.neutron("port.create.end", {"ports": [ours.port(), ours.port("p2")]}),
    "with secrets": ours.cinder_volume("volume.attach.end", volume_attachment=[ours.attachment()]),
    "without a context": ours.glance_image("image.update"),
    "a text": ours.message("image.upload", "a plain string, as Glance sends at ERROR"),
    "a list": ours.message("something.listed", [1, {"id": "x"}]),
    "nothing": ours.message("something.empty", None),
    "of an unknown type": ours.message("unheard.of.thing", {"id": "x"}),
}
Envelope = Callable[[Mapping[str, Any]], Notification]


def v1(message: Mapping[str, Any]) -> Notification:
    return open_envelope(json.dumps(message).encode())


def v2_body(message: Mapping[str, Any]) -> bytes:
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(message)}).encode()


def v2(message: Mapping[str, Any]) -> Notification:
    return open_envelope(v2_body(message))


def zlib_of_kombu(message: Mapping[str, Any]) -> Notification:
    body = zlib.compress(v2_body(message))
    return open_envelope(body, content_encoding="utf-8", compression="application/x-gzip")


def bz2_of_kombu(message: Mapping[str, Any]) -> Notification:
    return open_envelope(bz2.compress(v2_body(message)), compression="application/x-bz2")


def kafka(message: Mapping[str, Any]) -> Notification:
    """Kafka's driver nests the context and sends no `_unique_id`."""
    context = {
        key.removeprefix("_context_"): value
        for key, value in message.items()
        if key.startswith("_context_")
    }
    plain = {key: value for key, value in message.items() if not key.startswith("_")}
    return v2(plain | {"_context": context})


def panko_with_raw(message: Mapping[str, Any]) -> Notification:
    context = {
        key.removeprefix("_context_"): value
        for key, value in message.items()
        if key.startswith("_context_")
    }
    raw = {
        "ctxt": context,
        "payload": message.get("payload"),
        "publisher_id": message.get("publisher_id"),
        "priority": message.get("priority"),
        "event_type": message["event_type"],
        "metadata": {
            "message_id": message["message_id"],
            "timestamp": message.get("timestamp"),
        },
    }
    return from_panko(
        {
            "message_id": message["message_id"],
            "event_type": message["event_type"],
            "generated": "2026-11-23T00:00:00",
            "traits": [],
            "raw": raw,
        }
    )


def recorded(message: Mapping[str, Any]) -> Notification:
    line = {"exchange": "x", "routing_key": "notifications.info", "body": dict(message)}
    (read,) = read_recording(json.dumps(line).encode())
    assert not isinstance(read, UnreadableNotification)
    return read


ENVELOPES: dict[str, Envelope] = {
    "v2": v2,
    "zlib": zlib_of_kombu,
    "bz2": bz2_of_kombu,
    "Kafka": kafka,
    "Panko with raw": panko_with_raw,
    "recorded": recorded,
}


def sample_messages() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in sorted(SAMPLES.glob("*/*/*.json")):
        message = json.loads(path.read_bytes())
        if isinstance(message, dict) and "event_type" in message and "payload" in message:
            yield path.name, message


def events_of(notification: Notification) -> list[Event]:
    return [
        normalise(each, cloud="prod", received_at=NOW, catalogue=builtin())
        for each in unpack(notification)
    ]


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_is_the_same_event_in_every_envelope(name: str, envelope: str) -> None:
    bare = events_of(v1(OURS[name]))

    assert bare
    assert events_of(ENVELOPES[envelope](OURS[name])) == bare


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_each_sample_is_the_same_event_in_every_envelope(envelope: str) -> None:
    messages = list(sample_messages())
    if not messages:
        pytest.skip(f"the sample corpus {SAMPLES} is not here")
    for name, message in messages:
        bare = events_of(v1(message))
        assert bare, name
        assert events_of(ENVELOPES[envelope](message)) == bare, name


def test_a_sample_of_a_type_that_nobody_knows_is_an_event_all_the_same() -> None:
    messages = list(sample_messages())
    if not messages:
        pytest.skip(f"the sample corpus {SAMPLES} is not here")
    for name, message in messages:
        (event,) = events_of(v1({**message, "event_type": "unheard.of.thing"}))

        assert not event.known, name
        assert event.id == message["message_id"]
        assert event.payload is not None or message["payload"] is None


def test_every_file_of_pankos_and_of_ceilometers_publishers_is_read_without_loss() -> None:
    files = [*SAMPLES.glob("panko/*.json"), *SAMPLES.glob("ceilometer_publisher/*.json")]
    if not files:
        pytest.skip(f"the sample corpus {SAMPLES} is not here")
    for path in files:
        if path.name == "_error_400.json":
            continue  # an answer that is no event
        read = list(read_recording(path.read_bytes()))

        assert read, path.name
        for each in read:
            assert not isinstance(each, UnreadableNotification), (path.name, str(each))
            assert events_of(each)
