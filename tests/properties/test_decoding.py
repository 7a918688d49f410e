"""Whatever bytes or JSON a source hands over: an event, or one clear refusal."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.notification import Notification
from services.catcher.decoding.recordings import read_recording
from shared.catalogue.load import builtin
from shared.catalogue.targets import complete_objects, deletions, targets
from shared.codec import SINGLE, decode, encode
from shared.errors import UnreadableNotification
from shared.event import Event
from shared.redaction import MARKER, names_a_secret, redact
from tests.support.notifications import NOON

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
TYPES = (
    "compute.instance.update",
    "instance.update",
    "port.create.end",
    "router.interface.create",
    "tag.update.end",
    "volume.attach.end",
    "image.upload",
    "identity.project.created",
    "scheduler.select_destinations.end",
    "attach_volume",
    "baremetal.node.update.end",
    "unheard.of",
)
KEYS = (
    "port", "ports", "id", "instance_id", "nova_object.data", "nova_object.name", "uuid",
    "volume_attachment", "instance_uuid", "device_owner", "device_id", "initiator", "typeURI",
    "outcome", "obj_resource", "args", "instance", "request_spec", "router_interface", "value",
    "name", "key", "token", "connector", "osevents_synthetic",
)  # fmt: skip
likely_payloads = st.recursive(
    any_json | st.sampled_from(["compute:nova", "networks", "failure", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)
messages = st.fixed_dictionaries(
    {"event_type": st.sampled_from(TYPES) | st.text(max_size=20), "payload": likely_payloads},
    optional={
        "message_id": any_json,
        "publisher_id": any_json,
        "priority": any_json,
        "timestamp": any_json | st.datetimes().map(str),
        "_context_user_id": any_json,
        "_context": any_json,
    },
)


def opened_or_none(body: bytes, compression: str | None = None) -> Notification | None:
    """Open `body`; a refusal, which must be one line, gives None."""
    try:
        return open_envelope(body, compression=compression)
    except UnreadableNotification as error:
        refusal = str(error)
    assert refusal.splitlines() == [refusal]
    return None


def seen_by_all(event: Event) -> None:
    """Send the event through everything that reads it."""
    targets(event, builtin())
    deletions(event, builtin())
    complete_objects(event, builtin())
    assert decode(encode(event), SINGLE) == (event,)


@given(messages, st.sampled_from(["bare", "enveloped"]))
def test_any_json_in_any_place_of_a_message_makes_an_event(
    message: dict[str, Any], wrapping: str
) -> None:
    text = json.dumps(message)
    body = message if wrapping == "bare" else {"oslo.version": "2.0", "oslo.message": text}
    opened = opened_or_none(json.dumps(body).encode())
    assert (opened is None) == (not message["event_type"])
    if opened:
        seen_by_all(normalise(opened, cloud="prod", received_at=NOON, catalogue=builtin()))


@given(any_json | st.fixed_dictionaries({"oslo.version": any_json, "oslo.message": any_json}))
def test_any_json_is_read_or_refused(value: object) -> None:
    opened = opened_or_none(json.dumps(value).encode())
    if opened:
        seen_by_all(normalise(opened, cloud="prod", received_at=NOON, catalogue=builtin()))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for compression in (None, "application/x-gzip", "application/x-bz2"):
        opened = opened_or_none(body, compression)
        if opened:
            seen_by_all(normalise(opened, cloud="prod", received_at=NOON, catalogue=builtin()))


recorded = st.fixed_dictionaries(
    {},
    optional={
        "exchange": any_json,
        "properties": any_json | st.fixed_dictionaries({"headers": any_json}),
        "body": any_json | messages | messages.map(json.dumps),
        "messages": any_json | st.lists(st.fixed_dictionaries({"body": any_json | messages})),
        "request": any_json | messages,
        "event_type": st.just("event"),
        "payload": st.lists(any_json | messages, max_size=3),
        "traits": any_json,
    },
)


@given(st.lists(recorded | any_json, max_size=4), st.sampled_from(["list", "lines"]))
def test_any_recording_is_read_or_refused_value_by_value(values: list[Any], form: str) -> None:
    text = "\n".join(map(json.dumps, values if form == "lines" else [values]))

    for read in read_recording(text.encode()):
        if isinstance(read, Notification):
            seen_by_all(normalise(read, cloud="prod", received_at=NOON, catalogue=builtin()))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_recording_or_refused(text: bytes) -> None:
    assert all(
        isinstance(read, Notification | UnreadableNotification) for read in read_recording(text)
    )


traits = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(KEYS), "value": any_json}) | any_json,
    max_size=4,
)
panko_items = st.fixed_dictionaries(
    {"event_type": st.sampled_from(TYPES)},
    optional={
        "traits": traits | any_json,
        "raw": any_json | st.fixed_dictionaries({"payload": likely_payloads, "ctxt": any_json}),
        "generated": any_json,
        "message_id": any_json,
    },
)


@given(panko_items | any_json)
def test_any_panko_event_is_read_or_refused(item: object) -> None:
    try:
        opened = unpack(from_panko(item))
    except UnreadableNotification:
        return
    for notification in opened:
        seen_by_all(normalise(notification, cloud="prod", received_at=NOON, catalogue=builtin()))


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - naive is the case
def test_the_time_of_an_event_is_always_believable(sent: datetime) -> None:
    body = json.dumps({"event_type": "x.y", "timestamp": str(sent), "payload": {}}).encode()
    event = normalise(open_envelope(body), cloud="prod", received_at=NOON, catalogue=builtin())

    assert event.time == NOON or event.time == sent.replace(tzinfo=UTC)
    assert datetime(2010, 1, 1, tzinfo=UTC) <= event.time
    assert (event.time - NOON).total_seconds() <= 86400


secret_keys = st.sampled_from(["auth_token", "adminPass", "connection_info", "user_data", "secret"])
with_secrets = st.recursive(
    any_json,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | secret_keys, inner, max_size=4)
        | st.builds(lambda key: {key: "s3cr3t"}, secret_keys)
    ),
    max_leaves=20,
)


@given(with_secrets)
def test_redacting_twice_changes_nothing_more(value: object) -> None:
    once = redact(value)

    assert redact(once) is once


@given(with_secrets)
def test_no_secret_is_left_at_any_depth(value: object) -> None:
    def holds_no_secret(inner: Any) -> bool:
        if isinstance(inner, dict):
            return all(
                item in (None, "", MARKER) or isinstance(item, bool)
                if names_a_secret(key)
                else holds_no_secret(item)
                for key, item in inner.items()
            )
        return not isinstance(inner, list) or all(map(holds_no_secret, inner))

    assert holds_no_secret(redact(value))
