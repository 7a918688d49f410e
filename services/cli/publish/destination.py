"""Where a call sends to: the sink that its options and the settings mean."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from random import Random

import click

from services.cli.handing import Sending as Reached
from services.cli.handing import reached_bus
from services.cli.publish.asked import Asked
from services.cli.publish.sending import Sink
from services.cli.publish.sinks import BusSink, OutputSink, openstack_sink
from services.cli.stored import Place
from shared.amqp.transport_url import parse_transport_url
from shared.catalogue.catalogue import Catalogue
from shared.clock import SystemClock
from shared.errors import Misconfigured, Problem
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings


def required(to: str, place: Place) -> set[str]:
    """Return the settings that are needed to send there."""
    if to == "bus":
        return {"bus.url"} if place.data is None else set()
    return {"clouds"} if to == "openstack" else set()


def destination(
    asked: Asked, settings: Settings, place: Place, catalogue: Catalogue, random: Random
) -> AbstractAsyncContextManager[Sink]:
    """Return a context that opens it; raises UsageError, and Misconfigured for what lacks."""
    if asked.to == "stdout":
        return nullcontext(OutputSink())
    cloud = _cloud(asked, settings)
    if asked.to == "openstack":
        if not cloud.amqp.transports:
            where = f"clouds[{cloud.name}].amqp.transports"
            raise Misconfigured([Problem(where, "is needed to publish to OpenStack's broker")])
        address = parse_transport_url(cloud.amqp.transports[0].reveal()).address()
        return openstack_sink(address)
    reaching = reached_bus(settings, place, name="publish", clock=SystemClock(), random=random)
    return _bus_sink(reaching, cloud.name, catalogue)


def _cloud(asked: Asked, settings: Settings) -> CloudSettings:
    names = [cloud.name for cloud in settings.clouds]
    name = asked.cloud or (names[0] if len(names) == 1 else None)
    if name is None:
        configured = ", ".join(names) or "none"
        raise click.UsageError(
            f"say with --cloud which cloud they are of; configured: {configured}"
        )
    cloud = settings.cloud(name)
    if cloud is None and asked.to == "openstack":
        raise click.UsageError(f"cloud {name!r} is not configured; there are: {', '.join(names)}")
    return cloud or CloudSettings(name=name)


@asynccontextmanager
async def _bus_sink(
    reaching: AbstractAsyncContextManager[Reached], cloud: str, catalogue: Catalogue
) -> AsyncIterator[Sink]:
    async with reaching as bus:
        yield BusSink(bus=bus, cloud=cloud, catalogue=catalogue, clock=SystemClock())
