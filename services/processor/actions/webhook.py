"""`webhook`: the event as a CloudEvent over HTTP, or a body of your own, signed.

Signed as Standard Webhooks says (`services.processor.actions.signing`), the idempotency key as
`webhook-id`. Redirects are not followed: they could lead where `addresses` would not let us go, and
a signed body belongs to the receiver it was signed for.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

import aiohttp
from pydantic import AfterValidator, Field, model_validator

from services.processor.actions.addresses import (
    AddressRefused,
    guarded_sockets,
    parse_networks,
)
from services.processor.actions.bodies import JSON, body_of
from services.processor.actions.checking import (
    Deadline,
    Reference,
    Referring,
    Template,
    problems_with,
    settings_of,
)
from services.processor.actions.port import ActionCall, Never, Outcome, Run, Tools, TryAgain
from services.processor.actions.references import NoSecret, has_reference, reveal
from services.processor.actions.replies import meaning
from services.processor.actions.signing import secret_bytes, signature_headers
from shared.clock import Clock
from shared.errors import Problem
from shared.openstack.replies import one_line
from shared.redaction import names_a_secret
from shared.runtime.durations import format_duration
from shared.runtime.sections import Section

_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})
_MOST_DETAIL_BYTES = 4096
_LONGEST_HEADER = 8190
_CONNECTIONS = 200


def _url(text: str) -> str:
    if has_reference(text):
        return text  # the rest is seen when it is followed
    return _usable_url(text)


def _usable_url(text: str) -> str:
    """Return `text` when it is the URL of a receiver; ValueError does not show a password."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a webhook's URL begins with https:// or http:// and names a host")
    if parts.username is not None:
        raise ValueError(
            "a URL holds no user and password here; send them as a header that refers to a secret"
        )
    return text


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, text in headers.items():
        lower = name.lower()
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise ValueError(f"{name!r} is no name of a header")
        if lower in _OURS or lower.startswith("webhook-"):
            raise ValueError(f"the header {name} is set by osevents; for the type: content_type")
        if names_a_secret(name) and not has_reference(text):
            raise ValueError(
                f"the header {name} holds a secret; write ${{env:NAME}} or ${{file:PATH}} for it"
            )
    return headers


class WebhookSettings(Section):
    """What a rule says of a webhook."""

    url: Annotated[Referring, AfterValidator(_url)]
    """Where to; may hold references, for receivers whose URL is the secret."""
    method: Literal["POST", "PUT"] = "POST"
    secrets: tuple[Reference, ...] = ()
    """`whsec_...`, each signing; two while one replaces the other. None: not signed."""
    headers: Annotated[dict[str, Referring], AfterValidator(_headers)] = Field(default_factory=dict)
    body: Template | None = None
    """Absent: the event as a CloudEvent."""
    content_type: str | None = None
    """Of a body of your own; JSON unless told otherwise."""
    allow_private: bool = False
    """Whether it may be on a private, loopback or link-local address."""
    ca: str | None = None
    """A file with the certificates to trust instead of the system's."""
    deadline: Deadline = timedelta(seconds=15)
    """For the whole try, Standard Webhooks' own advice."""

    @model_validator(mode="after")
    def _type_needs_a_body(self) -> "WebhookSettings":
        if self.content_type is not None and self.body is None:
            raise ValueError("content_type goes with a body; without one a CloudEvent is sent")
        return self


class Webhook:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(WebhookSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:
        """See the port."""
        guard = guarded_sockets(parse_networks(tools.allow_networks))
        async with (
            _session(aiohttp.TCPConnector(limit=_CONNECTIONS, socket_factory=guard)) as guarded,
            _session(aiohttp.TCPConnector(limit=_CONNECTIONS)) as free,
        ):
            yield _Sender(guarded, free, tools.clock).send


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # A small body may unpack to a huge one, and we only read its beginning.
        auto_decompress=False,
        # No proxy from the environment: the address check would be the proxy's.
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class _Sender:
    guarded: aiohttp.ClientSession
    free: aiohttp.ClientSession
    clock: Clock
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    async def send(self, call: ActionCall) -> Outcome:
        settings = settings_of(WebhookSettings, call.settings)
        body, content_type = body_of(call, settings.body, settings.content_type or JSON)
        try:
            url = _usable_url(reveal(settings.url))
            headers = self._headers(call, settings, body, content_type)
            tls = self._tls(settings.ca)
        except NoSecret as error:
            return TryAgain(str(error))
        except (ValueError, OSError) as error:
            return TryAgain(f"it cannot be sent: {error}")
        session = self.free if settings.allow_private else self.guarded
        timeout = aiohttp.ClientTimeout(total=settings.deadline.total_seconds())
        try:
            async with session.request(
                settings.method,
                url,
                data=body,
                headers=headers,
                ssl=tls,
                timeout=timeout,
                allow_redirects=False,
            ) as reply:
                detail = await reply.content.read(_MOST_DETAIL_BYTES)
                asked = reply.headers.get("retry-after")
                return meaning(reply.status, asked, detail, now=self.clock.now())
        except TimeoutError:
            return TryAgain(f"no answer within {format_duration(settings.deadline)}")
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error)

    def _headers(
        self, call: ActionCall, settings: WebhookSettings, body: bytes, content_type: str
    ) -> dict[str, str]:
        own = {name: reveal(text) for name, text in settings.headers.items()}
        if any("\r" in text or "\n" in text for text in own.values()):
            raise ValueError("a header's value has several lines")
        signature = signature_headers(
            [secret_bytes(reveal(secret)) for secret in settings.secrets],
            message_id=call.idempotency_key,
            timestamp=int(self.clock.now().timestamp()),
            body=body,
        )
        rule = {"osevents-rule": quote(call.firing.rule, safe=" ")[:_LONGEST_HEADER]}
        return {**rule, **own, **signature, "content-type": content_type}

    def _tls(self, ca: str | None) -> ssl.SSLContext | bool:
        if ca is None:
            return True
        if ca not in self.contexts:
            self.contexts[ca] = ssl.create_default_context(cafile=ca)
        return self.contexts[ca]


def _failure(error: aiohttp.ClientError | OSError) -> Outcome:
    """Tell what went wrong without the URL, which may be a secret."""
    match error:
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, AddressRefused):
            return Never(f"{error.host}: {error.os_error}")
        case aiohttp.InvalidURL():
            return Never("the URL cannot be used")
        case aiohttp.ClientResponseError():
            return TryAgain(one_line(f"the receiver does not speak HTTP: {error.message}"))
        case _:
            return TryAgain(one_line(f"{type(error).__name__}: {error}"))
