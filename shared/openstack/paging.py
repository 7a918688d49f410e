"""Where the next page of a list is: pure, over the four ways OpenStack services say it.

Nova, Cinder and Neutron give `<collection>_links` with `rel: next`; Glance gives `next`; Keystone
gives `links.next`. Only the query of that address is used: its host is often wrong behind proxies.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Params = Sequence[tuple[str, str]]


def items_of(reply: Any, collection: str) -> list[dict[str, Any]]:
    """Return the objects of one page; raises ValueError when the reply is no such list."""
    items = reply.get(collection) if isinstance(reply, Mapping) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"the reply holds no list {collection!r} of objects")
    return items


def next_params(reply: Mapping[str, Any], collection: str) -> Params | None:
    """Return the query of the page after this one, or None when this is the last."""
    address = _next_address(reply, collection)
    if not address:
        return None
    return tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def _next_address(reply: Mapping[str, Any], collection: str) -> str | None:
    for link in reply.get(f"{collection}_links") or ():
        if link.get("rel") == "next":
            return str(link["href"])
    if isinstance(reply.get("next"), str):
        return str(reply["next"])
    links = reply.get("links")
    if isinstance(links, Mapping) and isinstance(links.get("next"), str):
        return str(links["next"])
    return None
