"""`publish`: the event, or a body of your own, to an exchange of RabbitMQ.

The exchange must be there: it is its owner's to declare. A message that no queue takes is a
failed try, not a lost message.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pamqp import commands as spec
from pydantic import AfterValidator, model_validator

from services.processor.actions.bodies import JSON, body_of
from services.processor.actions.checking import (
    Deadline,
    Referring,
    Template,
    problems_with,
    settings_of,
)
from services.processor.actions.port import ActionCall, Done, Never, Outcome, Run, Tools, TryAgain
from services.processor.actions.references import NoSecret, has_reference, reveal
from services.processor.actions.templates import render
from shared.amqp.address import Address
from shared.amqp.publisher import ConfirmedPublisher, open_publisher
from shared.amqp.session import Outgoing, Session
from shared.codec import routing_key
from shared.errors import BusUnavailable, Problem
from shared.runtime.durations import format_duration
from shared.runtime.sections import Section

_OF_THE_BUS = ("osevents", "osevents.dead")
"""What is sent there reaches our own services, and with them the rule that sent it."""
_PERSISTENT = 2
_LONGEST_KEY = 255
"""Bytes, AMQP's limit."""


def _url(text: str) -> str:
    return text if has_reference(text) else _usable_url(text)


def _usable_url(text: str) -> str:
    """Return `text` when it is the URL of a broker; ValueError does not show a password."""
    parts = urlsplit(text)
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise ValueError("a broker's URL begins with amqp:// or amqps:// and names a host")
    return text


def _without_password(text: str) -> str:
    if not has_reference(text) and urlsplit(text).password is not None:
        raise ValueError(
            "a password does not stand in a rule; write env:NAME or file:PATH for the whole URL,"
            " or ${env:NAME} in the place of the password"
        )
    return text


class PublishSettings(Section):
    """What a rule says of a message."""

    exchange: str
    """There already; empty: the default exchange, which takes the name of a queue as key."""
    routing_key: Template | None = None
    """Absent: `<cloud>.<event type>`."""
    url: Annotated[Referring, AfterValidator(_url), AfterValidator(_without_password)] | None = None
    """The broker; absent: the RabbitMQ of osevents."""
    body: Template | None = None
    """Absent: the event as a CloudEvent."""
    content_type: str | None = None
    """Of a body of your own; JSON unless told otherwise."""
    deadline: Deadline = timedelta(seconds=15)
    """For the whole try."""

    @model_validator(mode="after")
    def _not_to_ourselves(self) -> "PublishSettings":
        if self.url is None and self.exchange in _OF_THE_BUS:
            raise ValueError(
                f"exchange {self.exchange!r} is the bus of osevents itself, so that every event"
                " would come back; name another"
            )
        return self


class Publish:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(PublishSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:
        """See the port."""
        async with AsyncExitStack() as stack:
            yield _Publishers(tools.bus_url, stack).send


@dataclass(frozen=True, slots=True)
class _Publishers:
    """One publisher for each broker, kept open; rules name few."""

    bus_url: str | None
    stack: AsyncExitStack
    by_url: dict[str, ConfirmedPublisher] = field(default_factory=dict)

    async def send(self, call: ActionCall) -> Outcome:
        settings = settings_of(PublishSettings, call.settings)
        if settings.url is None and self.bus_url is None:
            return Never("the bus is within the process (osevents up); give the action a url")
        message = _message(call, settings)
        try:
            url = self.bus_url if settings.url is None else _usable_url(reveal(settings.url))
            assert url is not None, "seen above"
            async with asyncio.timeout(settings.deadline.total_seconds()):
                publisher = await self._publisher(url)
                await publisher.publish([message])
        except (NoSecret, BusUnavailable) as error:
            return TryAgain(str(error))
        except ValueError as error:
            return TryAgain(f"it cannot be sent: {error}")
        except TimeoutError:
            return TryAgain(f"not confirmed within {format_duration(settings.deadline)}")
        return Done(f"confirmed by exchange {settings.exchange!r}")

    async def _publisher(self, url: str) -> ConfirmedPublisher:
        if url not in self.by_url:
            self.by_url[url] = await self.stack.enter_async_context(
                open_publisher(Address.parse(url), _declare_nothing, name="actions")
            )
        return self.by_url[url]


async def _declare_nothing(_: Session) -> None:
    """Leave the topology to its owner."""


def _message(call: ActionCall, settings: PublishSettings) -> Outgoing:
    firing = call.firing
    body, content_type = body_of(call, settings.body, settings.content_type or JSON)
    key = (
        routing_key(firing.event)
        if settings.routing_key is None
        else render(settings.routing_key, firing, call.idempotency_key)
    )
    properties = spec.Basic.Properties(
        content_type=content_type,
        delivery_mode=_PERSISTENT,
        message_id=call.idempotency_key,
        headers={"x-osevents-rule": firing.rule[:_LONGEST_KEY]},
    )
    cut = key.encode()[:_LONGEST_KEY].decode(errors="ignore")
    return Outgoing(settings.exchange, cut, body, properties)
