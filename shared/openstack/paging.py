"""Where the next page of a list is: pure, over the ways OpenStack services say it.

Nova, Cinder, Neutron and Octavia give `<collection>_links` with `rel: next` (Cinder's backups spell
it `backup_links`, its types `volume_type_links`), Heat `links` with `rel: next`; Glance and Ironic
give `next`; Keystone gives `links.next`. Only the query of that address is used: its host is often
wrong behind proxies. Some lists say nothing at all and go on at an offset, or after a marker.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Params = Sequence[tuple[str, str]]

_SMALLEST_CAP = 100


class Paging(Enum):
    """How a list is read on when its page is full."""

    LINKS = auto()
    """The reply says where."""
    OFFSET = auto()
    """By the number of objects so far (Nova's server groups, Manila)."""
    MARKER = auto()
    """After the last object, by its id or, where it has none, its name (Cinder's attachments)."""


def items_of(reply: Any, collection: str) -> list[dict[str, Any]]:
    """Return the objects of one page; raises ValueError when the reply is no such list.

    An empty `collection` means that the reply is the list itself, as Swift's is.
    """
    items = reply if not collection else None
    if isinstance(reply, Mapping) and collection:
        items = reply.get(collection)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"the reply holds no list {collection!r} of objects")
    return items


def following(
    paging: Paging, reply: Any, collection: str, items: Sequence[Mapping[str, Any]], asked: Params
) -> Params | None:
    """Return the query of the page after the one `asked` for, or None when that was the last.

    A service may cap a page below the `limit` asked for (`osapi_max_limit`) without a word, so that
    only a page shorter than any sensible cap, or an empty one, is the last of a list without links.
    """
    if paging is Paging.LINKS:
        return next_params(reply, collection)
    query = dict(asked)
    limit = query.get("limit")
    if not items or limit is None or len(items) < min(int(limit), _SMALLEST_CAP):
        return None
    if paging is Paging.OFFSET:
        query["offset"] = str(int(query.get("offset", "0")) + len(items))
    else:
        query["marker"] = str(items[-1].get("id") or items[-1].get("name"))
    return tuple(query.items())


def next_params(reply: Mapping[str, Any], collection: str) -> Params | None:
    """Return the query of the page that a reply links to, or None when it links to none."""
    address = _next_address(reply, collection)
    if not address:
        return None
    return tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def _next_address(reply: Mapping[str, Any], collection: str) -> str | None:
    for some in _lists_of_links(reply, collection):
        for link in some:
            if isinstance(link, Mapping) and link.get("rel") == "next":
                return str(link["href"])
    if isinstance(reply.get("next"), str):
        return str(reply["next"])
    links = reply.get("links")
    if isinstance(links, Mapping) and isinstance(links.get("next"), str):
        return str(links["next"])
    return None


def _lists_of_links(reply: Mapping[str, Any], collection: str) -> Iterator[Sequence[Any]]:
    """Yield what may hold `rel: next`, the name that is usual first."""
    usual = f"{collection}_links"
    others = [key for key in reply if key.endswith("_links") and key != usual]
    for key in (usual, *others, "links"):
        if isinstance(reply.get(key), list):
            yield reply[key]
