"""One call as it goes over the wire: its address, its headers, how a good reply is read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import orjson
from yarl import URL

from shared.errors import CloudUnavailable
from shared.openstack.paging import Params
from shared.openstack.replies import detail_of

# Old releases and services with a name of their own for the header (formats, section 5).
_MICROVERSION_NAMES = {"block-storage": "volume"}
_MICROVERSION_HEADERS = {
    "baremetal": "X-OpenStack-Ironic-API-Version",
    "shared-file-system": "X-OpenStack-Manila-API-Version",
}
_REDIRECTS = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Call:
    """A GET of one service."""

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


def query_of(params: Params) -> str:
    """Return the query as it is sent, with its question mark; empty without `params`."""
    return "?" + urlencode(params) if params else ""


def redirected(call: Call, status: int, location: str | None) -> Call | None:
    """Return the call that a redirect asks for, on the host that was asked; None without one."""
    if not call.follow or status not in _REDIRECTS or not location or not location.isascii():
        return None
    try:
        # Relative ones are allowed; one put behind our host as it is could even change the host.
        target = call.url.join(URL(location, encoded=True))
    except ValueError:
        return None
    if not target.raw_path.startswith("/"):
        return None
    query = f"?{target.raw_query_string}" if target.raw_query_string else ""
    url = URL(f"{call.url.origin()}{target.raw_path}{query}", encoded=True)
    return replace(call, url=url, follow=False)


def microversion_headers(service_type: str, microversion: str | None) -> dict[str, str]:
    """Return the headers that ask a service for a microversion."""
    if microversion is None:
        return {}
    name = _MICROVERSION_NAMES.get(service_type, service_type)
    headers = {"OpenStack-API-Version": f"{name} {microversion}"}
    if service_type in _MICROVERSION_HEADERS:
        headers[_MICROVERSION_HEADERS[service_type]] = microversion
    return headers


def parsed(call: Call, body: bytes) -> Any:
    """Return the JSON of a good reply; raises CloudUnavailable where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # A proxy's page, or half a reply: the service itself only answers 200 with JSON.
        raise CloudUnavailable(f"{call}: 200, but not JSON: {detail_of(body)!r}") from error
