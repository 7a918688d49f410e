"""What the catalogue's templates put into a payload, reading the payload gives back."""

from datetime import UTC, datetime

import orjson
import pytest

from services.catcher.decoding.envelope import from_panko, open_envelope
from services.catcher.decoding.normalise import normalise
from shared.catalogue.load import load
from shared.catalogue.model import TEXTS, Entry
from shared.catalogue.template import ID, fields_of, flavours_of, id_parts, payload_of
from shared.event import Event, Flavour

CATALOGUE = load([])
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SERVICES = sorted({entry.service for entry in CATALOGUE.entries()})


def read(entry: Entry, flavour: Flavour, values: dict[str, str]) -> Event:
    namespace = CATALOGUE.namespace_of_service(entry.service) or ""
    payload = payload_of(entry, flavour, values, namespace=namespace)
    event_type = entry.type.replace("*", "something")
    if flavour is Flavour.TRAITS:
        traits = [{"name": name, "value": value} for name, value in payload.items()]
        notification = from_panko({"event_type": event_type, "message_id": "1", "traits": traits})
    else:
        body = {"event_type": event_type, "message_id": "1", "payload": payload}
        notification = open_envelope(orjson.dumps(body))
    assert notification.flavour is flavour
    return normalise(notification, cloud="prod", received_at=NOW, catalogue=CATALOGUE)


@pytest.mark.parametrize("service", SERVICES)
def test_every_field_of_every_type_comes_back(service: str) -> None:
    entries = [entry for entry in CATALOGUE.entries() if entry.service == service]
    fields = [
        (entry, flavour, name)
        for entry in entries
        for flavour in flavours_of(entry)
        for name in fields_of(entry, flavour)
    ]
    for entry, flavour, name in fields:
        value = "value-1"
        if name == ID:
            value = "/".join(["value-1"] * id_parts(entry, flavour))
        event = read(entry, flavour, {name: value})

        if name == ID:
            assert [ref.id for ref in event.subjects] == [value], (entry.type, flavour)
        elif name in TEXTS:
            assert getattr(event, name) == "value-1", (entry.type, flavour)
        else:
            related = [f"{ref.kind}_id={ref.id}" for ref in event.related]
            assert f"{name}=value-1" in related, (entry.type, flavour)
