"""Who takes synthetic notifications: our own bus, OpenStack's broker, or standard output."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import click
import orjson
from pamqp import commands as spec

from services.catcher.decoding.normalise import normalise
from services.cli.handing import Sending
from services.cli.publish.made import Made
from services.cli.standard_output import NotPrinted
from shared.amqp.address import Address
from shared.amqp.publisher import ConfirmedPublisher, open_publisher
from shared.amqp.session import Outgoing, Session
from shared.catalogue.catalogue import Catalogue
from shared.clock import Clock
from shared.errors import BusUnavailable
from shared.event import Flavour

_PROPERTIES = spec.Basic.Properties(
    content_type="application/json", content_encoding="utf-8", delivery_mode=2, priority=0
)
"""As oslo.messaging's rabbit driver sets them; only the message id, which aiormq adds, is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusSink:
    """Normalises as the catcher does, and publishes to the internal exchange."""

    bus: Sending
    cloud: str
    catalogue: Catalogue
    clock: Clock

    async def send(self, made: Sequence[Made]) -> None:
        """See `services.cli.publish.sending.Sink`."""
        now = self.clock.now()
        events = [
            normalise(
                each.notification, cloud=self.cloud, received_at=now, catalogue=self.catalogue
            )
            for each in made
        ]
        assert all(event.synthetic for event in events), "the stamp marked every one"
        await self.bus.publish(events)


@dataclass(frozen=True, slots=True)
class OpenStackSink:
    """Publishes to the services' own exchanges, as oslo.messaging's messagingv2 driver does.

    Nothing is declared there: an exchange that is missing, and a message that no queue takes, are
    errors.
    """

    publisher: ConfirmedPublisher

    async def send(self, made: Sequence[Made]) -> None:
        """See `services.cli.publish.sending.Sink`."""
        try:
            await self.publisher.publish([_outgoing(each) for each in made])
        except BusUnavailable as error:
            raise BusUnavailable(
                f"OpenStack's broker did not take the notifications: {error}; exchanges appear when"
                " their service first publishes, queues when a catcher first connects"
            ) from error


@asynccontextmanager
async def openstack_sink(address: Address) -> AsyncIterator[OpenStackSink]:
    """Open the way to OpenStack's broker."""
    async with open_publisher(address, _nothing_to_prepare, name="publish") as publisher:
        yield OpenStackSink(publisher)


class OutputSink:
    """Prints recorded messages, one JSON object a line, which `explain` and `publish` read."""

    async def send(self, made: Sequence[Made]) -> None:
        """See `services.cli.publish.sending.Sink`."""
        for each in made:
            line = {
                "exchange": each.exchange,
                "routing_key": each.routing_key,
                "body": each.message(),
            }
            try:
                click.echo(orjson.dumps(line).decode())
            except OSError as error:
                raise NotPrinted(error) from error


async def _nothing_to_prepare(_session: Session) -> None:
    return


def _outgoing(made: Made) -> Outgoing:
    assert made.notification.flavour is not Flavour.TRAITS, "refused when the call was read"
    body = orjson.dumps(
        {"oslo.version": "2.0", "oslo.message": orjson.dumps(made.message()).decode()}
    )
    return Outgoing(made.exchange, made.routing_key, body, _PROPERTIES)
