"""Where synthetic notifications come from: a type and its fields, a recording, a scenario. Pure."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import click
import orjson

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.notification import Notification
from services.catcher.decoding.recordings import read_recording
from services.cli.publish.made import Made, Timed, at_once, context_of, new_id, placed, spelled
from services.simulator.scenarios.model import Scenario
from services.simulator.scenarios.play import play
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.model import Entry
from shared.catalogue.template import ID, fields_of, flavours_of, id_parts, payload_of
from shared.errors import UnreadableNotification
from shared.event import Flavour, Phase

_IN_CONTEXT = ("project", "user", "request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Notifications of one type: what the caller says of them."""

    event_type: str
    flavour: Flavour | None = None
    """None: the first in which the catalogue knows the type."""
    values: Mapping[str, str]
    """Field -> value, `{n}` standing for the number of the notification, from 1."""
    payload: Mapping[str, Any]
    """Laid over what the fields make."""
    priority: str | None = None
    """None: error for failures, info for the rest."""

    def made(self, catalogue: Catalogue, random: Random, now: datetime) -> Iterator[Timed]:
        """Yield them without end; raises UsageError for what the type cannot say."""
        entry = catalogue.lookup(self.event_type)
        flavour = self.flavour or next(iter(flavours_of(entry)), Flavour.LEGACY)
        self._check(entry, flavour)
        namespace = catalogue.namespace_of_service(entry.service) or ""
        self._payload(entry, flavour, namespace, self.values)  # raises now what is wrong
        publisher = f"{catalogue.publisher_of_service(entry.service)}.osevents-publish"
        failed = entry.phase is Phase.ERROR
        return at_once(
            placed(
                Notification(
                    message_id=new_id(random),
                    event_type=self.event_type,
                    publisher_id=publisher,
                    priority=self.priority or ("error" if failed else "info"),
                    timestamp=spelled(now),
                    payload=self._payload(entry, flavour, namespace, values),
                    context=context_of(values),
                    flavour=flavour,
                    namespace=namespace if flavour is Flavour.VERSIONED else "",
                ),
                catalogue,
            )
            for values in self._numbered(entry, flavour, random)
        )

    def _check(self, entry: Entry, flavour: Flavour) -> None:
        known = (*fields_of(entry, flavour), *_IN_CONTEXT)
        for name in self.values:
            if name not in known:
                told = ", ".join(dict.fromkeys(known))
                raise click.UsageError(
                    f"a {flavour} notification of {self.event_type} has no field {name!r};"
                    f" it has {told}; use --payload for anything else"
                )

    def _numbered(self, entry: Entry, flavour: Flavour, random: Random) -> Iterator[dict[str, str]]:
        for number in itertools.count(1):
            values = {
                name: value.replace("{n}", str(number)) for name, value in self.values.items()
            }
            if ID in fields_of(entry, flavour):
                parts = [new_id(random) for _ in range(id_parts(entry, flavour))]
                values.setdefault(ID, "/".join(parts))
            yield values

    def _payload(
        self, entry: Entry, flavour: Flavour, namespace: str, values: Mapping[str, str]
    ) -> dict[str, Any]:
        own = {name: values[name] for name in fields_of(entry, flavour) if name in values}
        try:
            made = payload_of(entry, flavour, own, namespace=namespace)
        except ValueError as error:
            raise click.UsageError(f"--field id: {error}") from error
        return made | dict(self.payload)


def recorded(text: bytes, catalogue: Catalogue, place: str) -> Iterator[Timed]:
    """Return the notifications of a recording; raises UsageError when one cannot be read."""
    opened: list[Notification] = []
    for read in read_recording(text):
        if isinstance(read, UnreadableNotification):
            raise click.UsageError(f"{place}: {read}")
        opened.append(read)
    if not opened:
        raise click.UsageError(f"{place} holds no notification")
    return at_once(placed(notification, catalogue) for notification in opened)


def told(scenario: Scenario, *, now: datetime, random: Random) -> Iterator[Timed]:
    """Yield what the services of a scenario's cloud tell, each in its own time."""
    for at, notification in play(scenario, began=now, random=random):
        opened = open_envelope(orjson.dumps(notification.message))
        yield at, Made(opened, notification.exchange, notification.topic)
