"""Secrets in every place of every sample, through every envelope: none leaves, none is logged."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from services.catcher.decoding.normalise import normalise
from shared.catalogue.load import builtin
from shared.codec import encode
from tests.support.events import NOON

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FILES = sorted(path for path in SAMPLES.glob("*/*versioned/*.json"))
FILES += sorted(SAMPLES.glob("*/cadf/*.json"))
SECRET = "s3cr3t-of-the-test"
HIDDEN: dict[str, Any] = {
    "auth_token": SECRET,
    "admin_pass": SECRET,
    "password": SECRET,
    "connector": {"initiator": SECRET},
    "connection_info": {"data": {"auth_method": "CHAP", "auth_password": SECRET}},
    "provider_auth": f"CHAP name {SECRET}",
    "service_catalog": [{"adminURL": SECRET}],
    "metadata_items": [{"key": "auth_password", "value": SECRET}],
}
CONTEXT = {
    f"_context_{name}": SECRET
    for name in ("auth_token", "password", "aws_creds", "trust_id", "service_catalog")
}

pytestmark = pytest.mark.skipif(not FILES, reason="the collection of samples is not there")


def poisoned(value: Any) -> Any:
    """Return `value` with secrets in every object that it holds."""
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()} | HIDDEN
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return value


def envelopes(message: dict[str, Any]) -> dict[str, Any]:
    """Return what sources would hand over of a message, opened."""
    body = json.dumps(message)
    wrapped = {"oslo.version": "2.0", "oslo.message": body}
    raw = {
        "ctxt": {key.removeprefix("_context_"): value for key, value in CONTEXT.items()},
        "payload": message.get("payload"),
        "publisher_id": message.get("publisher_id"),
        "metadata": {},
    }
    event = {
        "message_id": "m",
        "event_type": message["event_type"],
        "generated": "2026-11-23T12:00:00",
        "traits": [{"name": "password", "type": "string", "value": SECRET}],
    }
    return {
        "v1": unpack(open_envelope(body.encode())),
        "v2": unpack(open_envelope(json.dumps(wrapped).encode())),
        "Panko, raw": (from_panko(event | {"raw": raw}),),
        "Panko, traits": (from_panko(event | {"raw": {}}),),
    }


def test_no_secret_of_any_sample_leaves_the_catcher(capsys: pytest.CaptureFixture[str]) -> None:
    for path in FILES:
        message = orjson.loads(path.read_bytes())
        if not isinstance(message, dict) or "event_type" not in message:
            continue
        message["payload"] = poisoned(message.get("payload"))
        for way, notifications in envelopes(message | CONTEXT).items():
            for notification in notifications:
                event = normalise(notification, cloud="prod", received_at=NOON, catalogue=builtin())
                assert SECRET.encode() not in encode(event), (path.name, way)

    told = capsys.readouterr()
    assert SECRET not in told.out + told.err
