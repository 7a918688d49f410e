"""Reads of OpenStack's APIs: one deadline a call, bounded retries, one renewal after a 401.

Only GET: osevents changes nothing in a cloud. What the replies mean for the inventory is the
caller's; here they are JSON, CloudRefused or CloudUnavailable. Tokens are never logged.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from random import Random
from typing import Any
from urllib.request import getproxies

import aiohttp
from yarl import URL

from shared.clock import Clock
from shared.errors import CloudLeftAlone, CloudRefused, CloudUnavailable
from shared.openstack.call import Call, microversion_headers, query_of
from shared.openstack.cloud import CloudConfig
from shared.openstack.paging import Paging, Params, following, items_of
from shared.openstack.sending import Budget, Limits, Sender
from shared.openstack.session import Endpoint, KeystoneSession


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
        self.cut_off: set[tuple[str, str]] = set()
        """Lists, as service type and collection, that the service says it did not give whole and
        has no next page of: Keystone before 2025.1, with a `list_limit`."""
        self.name = config.name
        self._keystone = keystone
        self._random = random
        self._limits = limits
        self._sender = Sender(config.name, http, clock=clock, limits=limits)
        self.calls = self._sender.calls
        """Requests sent, by service type; retries count."""

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
    def user_id(self) -> str | None:
        """The user of our credentials; None before the first token."""
        return self._keystone.user_id

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
        return self._sender.budgets()

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
            raise CloudRefused(message, status=HTTPStatus.NOT_FOUND)
        call = Call(
            service_type,
            path,
            URL(f"{endpoint.url}/{path.lstrip('/')}" + query_of(params), encoded=True),
            microversion_headers(service_type, microversion),
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

    async def _with_retries(self, call: Call) -> Any:
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

    async def _authorised(self, call: Call) -> Any:
        token = await self._keystone.token()
        try:
            return await self._sender.send(call, token)
        except CloudRefused as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
        return await self._sender.send(call, await self._keystone.renew(token))
