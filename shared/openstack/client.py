"""Reads of OpenStack's APIs: one deadline a call, bounded retries, one renewal after a 401.

Only GET: osevents changes nothing in a cloud. What the replies mean for the inventory is the
caller's; here they are JSON, CloudRefused or CloudUnavailable. Tokens are never logged.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import urlencode
from urllib.request import getproxies

import aiohttp
import orjson
from yarl import URL

from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudLeftAlone, CloudRefused, CloudUnavailable
from shared.openstack.breaker import Breaker, BreakerRule, Opened
from shared.openstack.cloud import CloudConfig
from shared.openstack.gate import Gate
from shared.openstack.paging import Paging, Params, following, items_of
from shared.openstack.replies import detail_of, is_transient, retry_after_seconds
from shared.openstack.session import Endpoint, KeystoneSession, Token

_OK = 200
_UNAUTHORISED = 401
_TOO_MANY = 429
_SHORTEST_LOOK_SECONDS = 1.0
# Old releases and services with a name of their own for the header (formats, section 5).
_MICROVERSION_NAMES = {"block-storage": "volume"}
_MICROVERSION_HEADERS = {
    "baremetal": "X-OpenStack-Ironic-API-Version",
    "shared-file-system": "X-OpenStack-Manila-API-Version",
}
_REDIRECTS = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one cloud is asked of."""

    attempts: int = 4
    """Of one call, the first included; renewing a token is not one."""
    backoff: Backoff = field(default_factory=Backoff)
    longest_wait_seconds: float = 15.0
    """A longer Retry-After is not sat out here: the caller gets CloudUnavailable and decides."""
    concurrency: int = 8
    """Calls at once to one service."""
    calls_per_second: float | None = None
    """To one service; None for as fast as it answers."""
    breaker: BreakerRule = field(default_factory=BreakerRule)
    body_bytes: int = 64 * 1024 * 1024
    """A longer reply is not read to its end."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How one service is asked at this moment."""

    calls: int
    """Sent so far; retries count."""
    under_way: int
    waiting: int
    """For room, for their turn, or because the service asked us to wait."""
    opened: Opened | None
    """The circuit, when the service kept failing and is left alone."""


@dataclass(frozen=True, slots=True)
class _Call:
    service_type: str
    path: str
    url: URL
    headers: Mapping[str, str]
    parse: bool = True
    """Whether the reply is wanted as a JSON value, not as it came."""
    follow: bool = False
    """Whether a redirect is followed."""

    def __str__(self) -> str:
        return f"{self.service_type}: GET {self.path}"


class CloudClient:
    """One cloud's APIs, for the tasks of one event loop."""

    def __init__(
        self,
        config: CloudConfig,
        http: aiohttp.ClientSession,
        keystone: KeystoneSession,
        *,
        clock: Clock,
        random: Random,
        limits: Limits,
    ) -> None:
        self.calls: Counter[str] = Counter()
        """Requests sent, by service type; retries count."""
        self.cut_off: set[tuple[str, str]] = set()
        """Lists, as service type and collection, that the service says it did not give whole and
        has no next page of: Keystone before 2025.1, with a `list_limit`."""
        self.name = config.name
        self._http = http
        self._keystone = keystone
        self._clock = clock
        self._random = random
        self._limits = limits
        self._gates: dict[str, Gate] = {}
        self._breakers: dict[str, Breaker] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: CloudConfig, *, clock: Clock, random: Random, limits: Limits | None = None
    ) -> AsyncIterator["CloudClient"]:
        """Yield a client; it logs in with the first call, so that a cloud that is down can open."""
        timeout = aiohttp.ClientTimeout(total=config.deadline_seconds)
        connector = aiohttp.TCPConnector(limit=0, ssl=config.ssl_context())
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers={"Accept": "application/json", "User-Agent": "osevents"},
            # Proxies from the environment. Not when there are none: aiohttp would look for a
            # .netrc file before every request.
            trust_env=bool(getproxies()),
        ) as http:
            keystone = KeystoneSession(config, clock=clock)
            yield cls(config, http, keystone, clock=clock, random=random, limits=limits or Limits())

    @property
    def project_id(self) -> str | None:
        """The project of our credentials; None before the first token."""
        return self._keystone.project_id

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of our roles; none before `log_in`."""
        return self._keystone.roles

    async def log_in(self) -> None:
        """Fetch a token unless there is one; raises CloudUnavailable or CloudRefused."""
        await self._keystone.token()

    @property
    def tokens_fetched(self) -> int:
        """How often we logged in."""
        return self._keystone.tokens_fetched

    def budgets(self) -> dict[str, Budget]:
        """Return how each service is asked at this moment, by service type."""
        return {
            name: Budget(self.calls[name], gate.inside, gate.waiting, self._breaker(name).opened)
            for name, gate in self._gates.items()
        }

    async def endpoint(self, service_type: str) -> Endpoint | None:
        """Return where the service is, discovered once; None when the catalogue has none."""
        return await self._keystone.endpoint(service_type)

    async def get(
        self,
        service_type: str,
        path: str,
        params: Params = (),
        *,
        microversion: str | None = None,
        follow: bool = False,
    ) -> Any:
        """Return the JSON of `path`, relative to the service's versioned endpoint.

        `path` is already quoted. With `follow`, a redirect is followed, once, and by its path
        alone: the token that goes along must not be carried to another host.
        Raises CloudUnavailable after the retries, CloudRefused for everything that stays refused,
        also (status 404, no detail) for a service that the catalogue does not have.
        """
        return await self._get(
            service_type, path, params, microversion=microversion, parse=True, follow=follow
        )

    async def body(self, service_type: str, path: str, params: Params = ()) -> bytes:
        """Return the body of `path` as it came, for those who read JSON more leniently than `get`.

        Raises what `get` raises.
        """
        body = await self._get(service_type, path, params, microversion=None, parse=False)
        assert isinstance(body, bytes)
        return body

    async def _get(
        self,
        service_type: str,
        path: str,
        params: Params,
        *,
        microversion: str | None,
        parse: bool,
        follow: bool = False,
    ) -> Any:
        endpoint = await self.endpoint(service_type)
        if endpoint is None:
            message = f"cloud {self.name} has no service {service_type} in its catalogue"
            raise CloudRefused(message, status=404)
        call = _Call(
            service_type,
            path,
            URL(f"{endpoint.url}/{path.lstrip('/')}" + _query(params), encoded=True),
            _microversion_headers(service_type, microversion),
            parse,
            follow,
        )
        return await self._with_retries(call)

    async def pages(
        self,
        service_type: str,
        path: str,
        collection: str,
        params: Params = (),
        *,
        microversion: str | None = None,
        paging: Paging = Paging.LINKS,
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the pages of a list, one at a time, as the service links them or `paging` says.

        Raises what `get` raises, and CloudUnavailable when a page comes a second time or is none:
        then the list is incomplete, which the caller must not take for its end.
        """
        asked: set[tuple[tuple[str, str], ...]] = set()
        query: Params | None = params
        last: list[dict[str, Any]] = []
        while query is not None:
            if tuple(query) in asked:
                raise CloudUnavailable(f"{service_type}: GET {path}: its pages run in a circle")
            asked.add(tuple(query))
            reply = await self.get(service_type, path, query, microversion=microversion)
            try:
                items = items_of(reply, collection)
            except ValueError as error:
                raise CloudUnavailable(f"{service_type}: GET {path}: {error}") from error
            if paging is not Paging.LINKS and items and items == last:
                message = f"{service_type}: GET {path}: the same page came twice"
                raise CloudUnavailable(message)
            last = items
            yield items
            query = following(paging, reply, collection, items, query)
            self._note_cut(service_type, collection, reply, more=query is not None)

    def _note_cut(self, service_type: str, collection: str, reply: Any, *, more: bool) -> None:
        if isinstance(reply, Mapping) and reply.get("truncated") is True and not more:
            self.cut_off.add((service_type, collection))
        else:
            self.cut_off.discard((service_type, collection))

    async def _with_retries(self, call: _Call) -> Any:
        failure: CloudUnavailable | None = None
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._authorised(call)
            except CloudLeftAlone as error:
                # That we were answered badly says more than that nobody is asked any more.
                raise failure or error from None
            except CloudUnavailable as error:
                failure = error
                asked = error.retry_after_seconds or 0.0
                if attempt >= self._limits.attempts or asked > self._limits.longest_wait_seconds:
                    raise
                delay = self._limits.backoff.delay_seconds(attempt, self._random)
                await asyncio.sleep(max(asked, delay))

    async def _authorised(self, call: _Call) -> Any:
        token = await self._keystone.token()
        try:
            return await self._once(call, token)
        except CloudRefused as error:
            if error.status != _UNAUTHORISED:
                raise
        return await self._once(call, await self._keystone.renew(token))

    async def _once(self, call: _Call, token: Token) -> Any:
        gate, breaker = self._gate(call.service_type), self._breaker(call.service_type)
        async with gate.passage():
            self._admit(call, breaker)
            try:
                reply = await self._send(call, token, gate)
            except CloudUnavailable as error:
                if error.status == _TOO_MANY:
                    breaker.worked()
                else:
                    breaker.failed(str(error), self._clock.now())
                raise
            except CloudRefused:
                breaker.worked()
                raise
            except BaseException:
                breaker.abandoned()
                raise
            breaker.worked()
            return reply

    def _admit(self, call: _Call, breaker: Breaker) -> None:
        now = self._clock.now()
        if breaker.admit(now) or breaker.opened is None:
            return
        wait = max((breaker.opened.look_at - now).total_seconds(), _SHORTEST_LOOK_SECONDS)
        message = (
            f"{call.service_type} of cloud {self.name} is left alone since "
            f"{breaker.opened.since:%H:%M:%S}: {breaker.opened.reason}"
        )
        raise CloudLeftAlone(message, retry_after_seconds=wait)

    async def _send(self, call: _Call, token: Token, gate: Gate) -> Any:
        self.calls[call.service_type] += 1
        try:
            async with self._http.get(
                call.url, headers={**call.headers, **token.headers}, allow_redirects=False
            ) as reply:
                body = await self._body(call, reply)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise CloudUnavailable(f"{call}: {reason}") from error
        if reply.status == _OK:
            return _json(call, body) if call.parse else body
        elsewhere = _redirected(call, reply)
        if elsewhere is not None:
            return await self._send(elsewhere, token, gate)
        raise self._refusal(call, reply, body, gate)

    async def _body(self, call: _Call, reply: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        room = self._limits.body_bytes
        async for chunk in reply.content.iter_any():
            room -= len(chunk)
            if room < 0:
                message = f"{call}: the reply is longer than {self._limits.body_bytes} bytes"
                raise CloudRefused(message, status=reply.status)
            chunks.append(chunk)
        return b"".join(chunks)

    def _refusal(
        self, call: _Call, reply: aiohttp.ClientResponse, body: bytes, gate: Gate
    ) -> CloudRefused | CloudUnavailable:
        detail = detail_of(body)
        message = f"{call} of cloud {self.name}: {reply.status} {detail}".rstrip()
        wait = retry_after_seconds(reply.headers.get("Retry-After"), now=self._clock.now())
        if not is_transient(reply.status, told_to_wait=wait is not None):
            return CloudRefused(message, status=reply.status, detail=detail)
        if wait is not None:
            gate.hold(min(wait, self._limits.longest_wait_seconds))
        return CloudUnavailable(message, retry_after_seconds=wait, status=reply.status)

    def _breaker(self, service_type: str) -> Breaker:
        if service_type not in self._breakers:
            self._breakers[service_type] = Breaker(self._limits.breaker)
        return self._breakers[service_type]

    def _gate(self, service_type: str) -> Gate:
        if service_type not in self._gates:
            self._gates[service_type] = Gate(
                concurrency=self._limits.concurrency,
                calls_per_second=self._limits.calls_per_second,
            )
        return self._gates[service_type]


def _query(params: Params) -> str:
    return "?" + urlencode(params) if params else ""


def _redirected(call: _Call, reply: aiohttp.ClientResponse) -> _Call | None:
    """Return the call that a redirect asks for, on the host that was asked; None without one."""
    location = reply.headers.get("Location")
    if not call.follow or reply.status not in _REDIRECTS or not location:
        return None
    try:
        target = URL(location, encoded=True)
    except ValueError:
        return None
    query = f"?{target.raw_query_string}" if target.raw_query_string else ""
    url = URL(f"{call.url.origin()}{target.raw_path}{query}", encoded=True)
    return replace(call, url=url, follow=False)


def _microversion_headers(service_type: str, microversion: str | None) -> dict[str, str]:
    if microversion is None:
        return {}
    name = _MICROVERSION_NAMES.get(service_type, service_type)
    headers = {"OpenStack-API-Version": f"{name} {microversion}"}
    if service_type in _MICROVERSION_HEADERS:
        headers[_MICROVERSION_HEADERS[service_type]] = microversion
    return headers


def _json(call: _Call, body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # A proxy's page, or half a reply: the service itself only answers 200 with JSON.
        raise CloudUnavailable(f"{call}: 200, but not JSON: {detail_of(body)!r}") from error
