"""Tokens and endpoints: keystoneauth1, which blocks, made awaitable in a thread.

One token serves all calls. It is renewed before it ends, and after a 401 by the first caller that
met it while the others wait for the outcome, so that fifty parallel 401s cost one login.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from keystoneauth1 import exceptions as keystone
from keystoneauth1.discover import EndpointData
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.plugin import BaseAuthPlugin
from keystoneauth1.session import Session

from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.cloud import CloudConfig
from shared.openstack.replies import one_line
from shared.waiting import within

T = TypeVar("T")

_DEADLINES = 5
"""How many deadlines a login or a discovery may take, with its few requests. Theirs are between two
bytes: who sends one now and then would hold up all calls for ever."""
# Longer than any call and than the 120 s below which keystoneauth1 logs in by itself.
_MARGIN = timedelta(seconds=150)
_SHORTEST_MARGIN_SHARE = 0.2
_MAJOR_VERSIONS = {
    "baremetal": "1",
    "block-storage": "3",
    "compute": "2",
    "identity": "3",
    "image": "2",
    "load-balancer": "2",
    "network": "2",
    "shared-file-system": "2",
}
_WITH_MICROVERSIONS = frozenset({"compute", "block-storage"})


@dataclass(frozen=True, slots=True)
class Token:
    """What a call sends to prove who asks; printing it shows no secret."""

    headers: dict[str, str] = field(repr=False)
    renew_at: datetime | None
    """By our clock; None for credentials that do not end."""
    project_id: str | None
    roles: tuple[str, ...] = ()
    """Names of our roles in what the token is for."""
    user_id: str | None = None
    """Whose it is; None where the credentials are not Keystone's."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is and what it speaks."""

    url: str
    """Including the version and, where the service wants it, the project: `.../v3/<project>`."""
    api_version: tuple[int, ...] | None
    min_microversion: tuple[int, ...] | None
    max_microversion: tuple[int, ...] | None


class KeystoneSession:
    """The token and the endpoints of one cloud, for the calls of one event loop."""

    def __init__(self, config: CloudConfig, *, clock: Clock) -> None:
        self.tokens_fetched = 0
        self._config = config
        self._clock = clock
        self._session: Session = config.region.get_session()
        if self._session.timeout is None:
            self._session.timeout = config.deadline_seconds
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._failures = 0
        self._failure: CloudRefused | CloudUnavailable | None = None
        self._endpoints: dict[str, Endpoint] = {}
        self._absent: dict[str, Token] = {}

    @property
    def project_id(self) -> str | None:
        """The project the token is scoped to; None before the first token."""
        return self._token.project_id if self._token else None

    @property
    def user_id(self) -> str | None:
        """The user the token is for; None before the first token."""
        return self._token.user_id if self._token else None

    @property
    def roles(self) -> tuple[str, ...]:
        """Our roles; none before the first token."""
        return self._token.roles if self._token else ()

    async def token(self) -> Token:
        """Return a token that has some life left, logging in when needed."""
        token = self._token
        if token is not None and (token.renew_at is None or self._clock.now() < token.renew_at):
            return token
        return await self.renew(token)

    async def renew(self, used: Token | None) -> Token:
        """Return a newer token than `used`; whoever comes first logs in, the others wait.

        Raises CloudUnavailable when Keystone cannot be asked, CloudRefused when it says no. A
        failure is shared by those who waited for it, so that they do not queue up login attempts.
        """
        failures = self._failures
        async with self._lock:
            if self._token is not None and self._token is not used:
                return self._token
            if self._failure is not None and self._failures > failures:
                raise self._failure
            try:
                self._token = await self._in_thread(self._log_in)
            except (CloudRefused, CloudUnavailable) as error:
                self._failures += 1
                self._failure = error
                raise
            self.tokens_fetched += 1
            return self._token

    async def endpoint(self, service_type: str) -> Endpoint | None:
        """Return where the service is (any alias of its type will do); None when not catalogued.

        An absence is remembered as long as the token, which the catalogue came with. Raises
        CloudUnavailable when the service is catalogued and its version document cannot be read.
        """
        known = self._endpoints.get(service_type)
        if known is not None:
            return known
        token = await self.token()
        async with self._lock:
            if service_type in self._endpoints or self._absent.get(service_type) is token:
                return self._endpoints.get(service_type)
            found = await self._in_thread(lambda: self._discover(service_type))
            if found is None:
                self._absent[service_type] = token
            else:
                self._endpoints[service_type] = found
            return found

    def _log_in(self) -> Token:
        auth = self._auth()
        auth.invalidate()
        if not isinstance(auth, BaseIdentityPlugin):
            headers = auth.get_headers(self._session) or {}
            return Token(headers, None, auth.get_project_id(self._session))
        access = auth.get_access(self._session)
        life = access.expires - access.issued if access.expires and access.issued else None
        renew_at = None
        if life is not None:
            # The life is the difference of two of Keystone's times, so a wrong clock is harmless.
            renew_at = self._clock.now() + life - min(_MARGIN, life * _SHORTEST_MARGIN_SHARE)
        roles = tuple(access.role_names or ())
        headers = {"X-Auth-Token": access.auth_token or ""}
        return Token(headers, renew_at, access.project_id, roles, access.user_id)

    def _discover(self, service_type: str) -> Endpoint | None:
        try:
            catalogued = self._endpoint_data(service_type, skip_discovery=True)
        except keystone.EmptyCatalog:
            raise
        except keystone.EndpointNotFound:
            return None
        if catalogued is None:
            return None
        found = self._endpoint_data(service_type, skip_discovery=False)
        wanted = _MAJOR_VERSIONS.get(service_type)
        if found is None or (
            wanted
            and (
                found.api_version is None
                or (service_type in _WITH_MICROVERSIONS and found.max_microversion is None)
            )
        ):
            # keystoneauth1 would go on with the bare address of the catalogue, where every path is
            # answered by 404: indistinguishable from deleted objects.
            raise CloudUnavailable(
                f"{service_type} of cloud {self._config.name}: no version {wanted or ''} document "
                f"can be read at {catalogued.url}"
            )
        return Endpoint(
            str(found.url).rstrip("/"),
            _whole(found.api_version),
            _whole(found.min_microversion),
            _whole(found.max_microversion),
        )

    def _endpoint_data(self, service_type: str, *, skip_discovery: bool) -> EndpointData | None:
        region = self._config.region
        major = None if skip_discovery else _MAJOR_VERSIONS.get(service_type)
        return self._auth().get_endpoint_data(
            self._session,
            endpoint_override=region.get_endpoint(service_type),
            service_type=service_type,
            interface=self._config.interfaces(service_type),
            region_name=self._config.region_name,
            service_name=region.get_service_name(service_type),
            min_version=major,
            max_version=f"{major}.latest" if major else None,
            skip_discovery=skip_discovery,
        )

    def _auth(self) -> BaseAuthPlugin:
        auth = self._session.auth
        assert auth is not None, "load_cloud only gives regions with an auth plugin"
        return auth

    async def _in_thread(self, work: Callable[[], T]) -> T:
        seconds = _DEADLINES * self._config.deadline_seconds
        try:
            return await within(asyncio.to_thread(work), seconds)
        except TimeoutError as error:
            message = f"Keystone of cloud {self._config.name} has not answered within {seconds:g} s"
            raise CloudUnavailable(message) from error
        except keystone.HttpError as error:
            detail = one_line(error.message)
            message = f"Keystone of cloud {self._config.name}: {error.http_status} {detail}"
            if (
                error.http_status == HTTPStatus.TOO_MANY_REQUESTS
                or error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
            ):
                raise CloudUnavailable(message) from error
            raise CloudRefused(message, status=error.http_status) from error
        except keystone.ClientException as error:
            told = one_line(str(error))
            message = f"Keystone of cloud {self._config.name} cannot be asked: {told}"
            raise CloudUnavailable(message) from error
        except (CloudRefused, CloudUnavailable):
            raise
        except Exception as error:
            # keystoneauth1 takes replies apart as it expects them: a proxy's JSON, half a token, a
            # version without its link give a KeyError, a TypeError, an error of urllib3 or others.
            told = one_line(f"{type(error).__name__}: {error}")
            message = f"Keystone of cloud {self._config.name}, or the catalogue, tells what cannot"
            raise CloudUnavailable(f"{message} be used: {told}") from error


def _whole(version: tuple[int | float, ...] | None) -> tuple[int, ...] | None:
    return None if version is None else tuple(int(part) for part in version)
